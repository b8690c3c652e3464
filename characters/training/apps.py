"""Teaching a character's face: from pictures to a LoRA that its images use."""

from django.apps import AppConfig

from characters import panels
from influencer.jobs import kinds, references


class TrainingConfig(AppConfig):
    name = "characters.training"
    label = "training"

    def ready(self) -> None:
        panels.register_delete_listener("characters.training.drafts.forget_character")
        references.register("characters.training.services.jobs_of_trainings")
        panels.register_panel("training", "characters.training.overview.card_parts")
        panels.register_lora_owners("characters.training.services.lora_owners")
        panels.register_section(
            panels.Section(
                order=4,
                slug="training",
                label="Training",
                template="training/_section.html",
                context="characters.training.overview.section",
            )
        )
        kinds.register(
            kinds.Kind(
                name="train_lora",
                label="LoRA training",
                handler="characters.training.running.run",
                # Only looks now and then at what goes on elsewhere: it must not keep images waiting.
                cluster="default",
                steps=("prepare", "upload", "train", "verify", "attach"),
                on_finished="characters.training.running.finished",
                link="characters.training.running.link",
            )
        )
