"""The Gemini stand-in: `generateContent` and the list of models, as both of Google's SDKs ask for them."""

from __future__ import annotations

from aiohttp import web

from influencer.sandbox.config import SandboxSettings
from influencer.sandbox.faults import Faults
from influencer.sandbox.gemini.service import Gemini, unknown_path


def build(_settings: SandboxSettings, faults: Faults) -> web.Application:
    """The stand-in as an application; it remembers nothing."""
    gemini = Gemini(faults)
    models = "/{version:v1|v1beta}/models"
    model = models + "/{model:[^/:]+}"
    app = web.Application()
    app.add_routes(
        [
            web.get(models, gemini.call("models", gemini.list_models), allow_head=False),
            web.get(model, gemini.call("model", gemini.read_model), allow_head=False),
            web.post(f"{model}:generateContent", gemini.call("generate", gemini.generate)),
            web.route("*", "/{path:.*}", unknown_path),
        ]
    )
    return app
