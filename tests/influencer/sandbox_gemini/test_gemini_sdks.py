"""Both SDKs as their own documentation calls them, with their own defaults, against the stand-in."""

from __future__ import annotations

import io
import warnings

import pytest
from PIL import Image
from typing_extensions import TypedDict

from tests.influencer.sandbox_gemini.conftest import Caller


class Caption(TypedDict):
    caption: str
    hashtags: list[str]


def test_google_genai_by_its_defaults(caller: Caller) -> None:
    from google import genai
    from google.genai import types
    from pydantic import BaseModel

    class Answer(BaseModel):
        caption: str
        hashtags: list[str]

    options = types.HttpOptions(base_url=f"{caller.url}/gemini", timeout=10_000)
    with genai.Client(api_key="AIza", http_options=options) as client:
        config = types.GenerateContentConfig(
            response_mime_type="application/json",
            response_schema=Answer,
            thinking_config=types.ThinkingConfig(thinking_level=types.ThinkingLevel.LOW),
        )
        file = io.BytesIO()
        Image.effect_noise((64, 64), 90).save(file, "PNG")
        part = types.Part.from_bytes(data=file.getvalue(), mime_type="image/png")
        answer = client.models.generate_content(
            model="gemini-3.5-flash", contents=["A harbour", part], config=config
        )
        assert isinstance(answer.parsed, Answer) and "A harbour" in answer.parsed.caption
        blocked = client.models.generate_content(model="gemini-3.5-flash", contents="GEMINI-PROHIBITED")
        assert blocked.text is None and blocked.prompt_feedback is not None


def test_google_generativeai_by_its_documentation(caller: Caller) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        import google.generativeai as genai

    endpoint = {"api_endpoint": f"{caller.url}/gemini"}
    genai.configure(api_key="AIza", transport="rest", client_options=endpoint)
    try:
        model = genai.GenerativeModel("gemini-3.5-flash")
        config = {"response_mime_type": "application/json", "response_schema": Caption}
        picture = Image.effect_noise((64, 64), 90)
        answer = model.generate_content(
            ["A harbour", picture], generation_config=config, request_options={"retry": None, "timeout": 10}
        )
        assert '"caption": "' in answer.text and answer.candidates[0].finish_reason.name == "STOP"
        blocked = model.generate_content("GEMINI-PROHIBITED", request_options={"retry": None, "timeout": 10})
        assert blocked.prompt_feedback.block_reason.name == "PROHIBITED_CONTENT"
        with pytest.raises(ValueError, match="blocked"):
            _ = blocked.text
        assert "models/gemini-3.5-flash-lite" in [row.name for row in genai.list_models()]
    finally:
        genai.configure()
