"""`manage.py check_data`: everything in the data folder worth mending, and nothing secret."""

from __future__ import annotations

import dataclasses
import io
import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from PIL import Image as Picture

from characters.images import services as images
from characters.images.models import Image
from characters.publishing.models import MediaLink, Post
from influencer import vault
from monitoring import consistency
from tests.characters.people import INSTAGRAM, someone

pytestmark = pytest.mark.django_db


def run(*words: str) -> tuple[str, int]:
    out = StringIO()
    try:
        call_command("check_data", *words, stdout=out)
    except SystemExit as ended:
        return out.getvalue(), int(ended.code or 0)
    return out.getvalue(), 0


def codes() -> list[str]:
    return [finding.code for finding in consistency.findings()]


def change(file: Path, edit: Any) -> None:
    """As an editor would."""
    records = json.loads(file.read_text())
    edit(records)
    file.write_text(json.dumps(records))


@pytest.fixture
def picture() -> Image:
    content = io.BytesIO()
    Picture.new("RGB", (40, 50), "teal").save(content, "PNG")
    return images.add(someone("Luna", **INSTAGRAM).pk, content.getvalue())


@pytest.fixture
def file(data_dir: Path, picture: Image) -> Path:
    return data_dir / "characters.json"


def test_an_empty_folder_is_in_order() -> None:
    assert run() == ("Everything is in order.\n", 0)


@pytest.mark.usefixtures("picture")
def test_what_the_product_wrote_is_in_order() -> None:
    assert run() == ("Everything is in order.\n", 0)


def test_a_plain_secret_is_named_and_never_shown(file: Path) -> None:
    change(file, lambda records: records[0].update(instagramApiKey="IGAA-plain-secret"))
    said, code = run()
    assert code == 1
    assert "instagramApiKey is not encrypted yet" in said
    assert "IGAA-plain-secret" not in said + run("--json")[0]


def test_a_setting_that_can_not_be_used_is_named(data_dir: Path) -> None:
    (data_dir / "settings.json").write_text('{"backupsKept": "many"}')
    said, code = run()
    assert code == 1
    assert "backupsKept is 'many'" in said


def test_a_damaged_file_is_named_with_its_place(file: Path) -> None:
    file.write_text('[{"id": "x",')
    said, code = run()
    assert code == 1
    assert "characters.json" in said
    assert "line 1" in said
    assert codes() == ["damaged"]


@pytest.mark.parametrize(
    ("edit", "code"),
    [
        (lambda records: records.append(dict(records[0])), "double_id"),
        (lambda records: records[0].update(steps="many"), "unusable_value"),
        (lambda records: records[0].update(name=""), "invalid_record"),
        (lambda records: records[0].update(instagramAccountId=""), "invalid_record"),
        (lambda records: records.append("no object"), "no_object"),
    ],
)
def test_records_that_can_not_be_used_must_be_mended(file: Path, edit: Any, code: str) -> None:
    change(file, edit)
    assert code in codes()
    assert run()[1] == 1


def test_a_secret_another_key_sealed_must_be_mended(file: Path, settings: Any) -> None:
    ours = settings.INFLUENCER
    settings.INFLUENCER = dataclasses.replace(ours, master_key="another-key" * 4)
    sealed = vault.seal("IGAA-sealed-elsewhere")
    settings.INFLUENCER = ours
    change(file, lambda records: records[0].update(instagramApiKey=sealed))
    said, code = run()
    assert code == 1
    assert "sealed_secret" in codes()
    assert "IGAA-sealed-elsewhere" not in said


def test_a_row_without_its_file_must_be_mended(picture: Image) -> None:
    picture.path.unlink()
    said, code = run()
    assert code == 1
    assert f"The file media/{picture.file} is gone" in said
    assert picture.pk in said


def test_a_file_no_row_knows_may_be_mended(picture: Image, data_dir: Path) -> None:
    (data_dir / "media" / "stray.png").write_bytes(b"x")
    Image.objects.all().delete()
    said, code = run()
    assert code == 0
    assert "No row knows media/stray.png" in said
    assert codes() == ["file_without_row"] * 4
    assert "0 must be mended, 4 may be." in said


def test_a_lost_thumbnail_or_recipe_may_be_mended(picture: Image) -> None:
    picture.thumbnail_path.unlink()
    picture.sidecar_path.unlink()
    assert codes() == ["no_thumbnail", "no_recipe"]
    assert run()[1] == 0


@pytest.mark.usefixtures("picture")
def test_the_picture_of_a_post_is_known(data_dir: Path) -> None:
    post = Post.objects.create(key="k", character_id="char_1", platform="instagram", account="a")
    folder = data_dir / "media" / "char_1" / "posts"
    folder.mkdir(parents=True)
    (folder / "p.jpg").write_bytes(b"x")
    MediaLink.objects.create(token_hash="h", post=post, file="char_1/posts/p.jpg", expires_at=post.created_at)
    assert codes() == []


def test_errors_stand_first_and_json_has_them_all(picture: Image, data_dir: Path) -> None:
    (data_dir / "media" / "stray.png").write_bytes(b"x")
    picture.path.unlink()
    body = json.loads(run("--json")[0])
    assert [finding["is_error"] for finding in body["findings"]] == [True, False]
    assert body["errors"] == 1
