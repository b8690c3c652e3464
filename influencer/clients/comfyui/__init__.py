"""ComfyUI: submit a graph once, follow it to its end, fetch the images."""

from influencer.clients.comfyui.client import ComfyUI, new_prompt_id
from influencer.clients.comfyui.families import Defaults, Family, defaults, detect
from influencer.clients.comfyui.follow import Pace
from influencer.clients.comfyui.graphs import build, require_supported, settings_for, supported
from influencer.clients.comfyui.listing import LoraFile, ModelFile, ModelList
from influencer.clients.comfyui.prompting import compose
from influencer.clients.comfyui.settings import GenerationSettings, ModelKind, Parts
from influencer.clients.comfyui.training_graph import (
    TrainingDefaults,
    TrainingSettings,
    build_training,
    lora_prefix,
    trainable,
    training_defaults,
)
from influencer.clients.comfyui.values import (
    Accepted,
    Device,
    Ending,
    Event,
    Graph,
    ImageRef,
    NodeFinished,
    Outcome,
    Place,
    Preview,
    Progress,
    Queue,
    Queued,
    Started,
    SystemStats,
    Timeouts,
)

__all__ = [
    "Accepted",
    "ComfyUI",
    "Defaults",
    "Device",
    "Ending",
    "Event",
    "Family",
    "GenerationSettings",
    "Graph",
    "ImageRef",
    "LoraFile",
    "ModelFile",
    "ModelKind",
    "ModelList",
    "NodeFinished",
    "Outcome",
    "Pace",
    "Parts",
    "Place",
    "Preview",
    "Progress",
    "Queue",
    "Queued",
    "Started",
    "SystemStats",
    "Timeouts",
    "TrainingDefaults",
    "TrainingSettings",
    "build",
    "build_training",
    "compose",
    "defaults",
    "detect",
    "lora_prefix",
    "new_prompt_id",
    "require_supported",
    "settings_for",
    "supported",
    "trainable",
    "training_defaults",
]
