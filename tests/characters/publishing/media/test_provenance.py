"""What a published JPEG says of itself: made by a model, signed where that is wanted, and nothing more."""

from __future__ import annotations

import dataclasses
import io
import json
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import c2pa
import pytest
from django.core.management import call_command
from PIL import Image as Picture
from PIL.PngImagePlugin import PngInfo

from characters.images import storage
from characters.images.models import Image
from characters.images.storage import Making
from characters.models import Character
from characters.publishing import accounts
from characters.publishing.checks import preflight
from characters.publishing.checks.checklist import Proposal
from characters.publishing.media import provenance
from influencer.clients.picture import AI_SOURCE
from influencer.clients.platform import Platform
from influencer.errors import Unavailable
from tests.characters.publishing.authority import certified
from tests.characters.stage import Stage, drawn, see_through

pytestmark = pytest.mark.django_db(transaction=True)

SECRETS = {"prompt": "a secret prompt", "seed": 771204118}
WORKFLOW = {"3": {"class_type": "KSampler", "inputs": {"seed": 771204118, "text": "a secret prompt"}}}


@pytest.fixture
def made(luna: Character) -> Image:
    """An image as ComfyUI gives it: its recipe in the file and beside it."""
    info, file = PngInfo(), io.BytesIO()
    info.add_text("prompt", json.dumps(WORKFLOW))
    Picture.new("RGB", (400, 500), "teal").save(file, "PNG", pnginfo=info)
    making = Making(recipe=dict(SECRETS), workflow=WORKFLOW)
    return storage.store("img_m", character_id=luna.pk, content=file.getvalue(), making=making)


@pytest.fixture
def signing(settings: Any, tmp_path: Path) -> Any:
    chain, key = certified(tmp_path)
    settings.INFLUENCER = dataclasses.replace(settings.INFLUENCER, c2pa_cert=chain, c2pa_key=key)
    return settings


def sent(stage: Stage, platform: str) -> bytes:
    name = stage.posts(platform)[0]["pictures"][0]["file"]
    return (stage.folder / "images" / name).read_bytes()


def manifest(jpeg: bytes) -> dict[str, Any]:
    return dict(json.loads(c2pa.Reader("image/jpeg", io.BytesIO(jpeg)).json()))


# --- what it says ----------------------------------------------------------------------------


@pytest.mark.parametrize("platform", ["instagram", "x"])
def test_what_arrives_says_that_a_model_made_it_and_nothing_of_how(
    stage: Stage, start: Any, made: Image, platform: str
) -> None:
    see_through(start(platform, image_id=made.pk).job_id)
    jpeg = sent(stage, platform)
    found = provenance.metadata(jpeg)
    assert [name for name, _, _ in found] == ["APP0", "APP1"]
    assert f'Iptc4xmpExt:DigitalSourceType="{AI_SOURCE}"' in found[1][2]
    for secret in (b"secret prompt", b"771204118", b"KSampler", b"luna_character"):
        assert secret not in jpeg


def test_the_original_keeps_its_recipe(made: Image) -> None:
    before = made.path.read_bytes()
    provenance.picture_for(before, "instagram", ai=True)
    assert made.path.read_bytes() == before
    assert b"KSampler" in before
    assert "a secret prompt" in made.sidecar_path.read_text()


def test_without_the_label_it_says_nothing(signing: Any, made: Image) -> None:
    jpeg = provenance.picture_for(made.path.read_bytes(), "x", ai=False).jpeg
    assert [name for name, _, _ in provenance.metadata(jpeg)] == ["APP0"]


def test_a_command_prints_it(made: Image) -> None:
    out = StringIO()
    call_command("published_jpeg", made.pk, stdout=out)
    assert out.getvalue().startswith("400 × 500, ")
    assert "trainedAlgorithmicMedia" in out.getvalue()
    out = StringIO()
    call_command("published_jpeg", made.pk, "--no-ai-label", "--json", stdout=out)
    assert [row["segment"] for row in json.loads(out.getvalue())["metadata"]] == ["APP0"]


# --- signed ----------------------------------------------------------------------------------


def test_with_a_certificate_the_statement_is_signed_and_valid(
    stage: Stage, start: Any, made: Image, signing: Any
) -> None:
    see_through(start("instagram", image_id=made.pk).job_id)
    jpeg = sent(stage, "instagram")
    read = manifest(jpeg)
    assert read["validation_state"] == "Valid"
    assert [one["code"] for one in read["validation_status"]] == ["signingCredential.untrusted"]
    active = read["manifests"][read["active_manifest"]]
    [action] = active["assertions"][0]["data"]["actions"]
    assert action == {"action": "c2pa.created", "digitalSourceType": AI_SOURCE}
    assert "APP11" in [name for name, _, _ in provenance.metadata(jpeg)]
    assert b"secret prompt" not in jpeg


def test_a_changed_picture_breaks_the_signature(signing: Any, made: Image) -> None:
    jpeg = provenance.picture_for(made.path.read_bytes(), "x", ai=True).jpeg
    broken = jpeg[:-20] + bytes(byte ^ 1 for byte in jpeg[-20:-2]) + jpeg[-2:]
    assert manifest(broken)["validation_state"] == "Invalid"


@pytest.mark.parametrize("wrong", ["c2pa_cert", "c2pa_key"])
@pytest.mark.parametrize("content", [None, b"nonsense"])
def test_what_can_not_be_signed_is_one_sentence_and_a_red_line(
    signing: Any, luna: Character, tmp_path: Path, wrong: str, content: bytes | None
) -> None:
    bad = tmp_path / "bad.pem"
    if content:
        bad.write_bytes(content)
    signing.INFLUENCER = dataclasses.replace(signing.INFLUENCER, **{wrong: str(bad)})
    with pytest.raises(Unavailable, match="Check C2PA_CERT and C2PA_KEY") as caught:
        provenance.picture_for(drawn(), "x", ai=True)
    assert caught.value.code == "not_signed"
    image = storage.store("img_n", character_id=luna.pk, content=drawn(), making=Making())
    proposal = Proposal(luna, accounts.account(luna, Platform.X), image)
    assert preflight.checks(proposal)[0].code == "not_signed"


def test_without_the_extra_it_says_what_to_install(signing: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "c2pa", None)
    with pytest.raises(Unavailable, match=r"requirements/c2pa\.txt"):
        provenance.picture_for(drawn(), "x", ai=True)


def test_the_library_is_imported_by_nobody_who_has_no_certificate() -> None:
    code = (
        "import os, sys; os.environ['DJANGO_SETTINGS_MODULE'] = 'influencer.settings';"
        "import django; django.setup(); import characters.publishing.media.provenance;"
        "sys.exit('c2pa' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
