"""Images in the real admin: looked at, found, deleted with their files."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.contrib.admin.utils import quote
from django.contrib.auth.models import User
from django.test import Client
from PIL import Image as Picture

from characters.images import services
from characters.images.models import Image
from tests.characters.people import someone

pytestmark = pytest.mark.django_db

LIST = "/admin/images/image/"


@pytest.fixture
def owner(db: None) -> Client:
    client = Client(raise_request_exception=True)
    client.force_login(User.objects.create_superuser("owner", password="x" * 12))
    return client


def an_image(character_id: str, **fields: Any) -> Image:
    file = io.BytesIO()
    Picture.new("RGB", (40, 50), "teal").save(file, "PNG")
    image = services.add(character_id, file.getvalue())
    Image.objects.filter(pk=image.pk).update(**fields)
    return services.get(image.pk)


def found(client: Client, query: str) -> list[str]:
    return [image.pk for image in client.get(LIST + query).context["cl"].result_list]


def test_the_list_shows_a_thumbnail_and_whose_it_is(owner: Client) -> None:
    luna = someone(id="char_1754528276811_40uaz8mqv")  # "_40" is an escape in the admin's addresses
    image = an_image(luna.pk)
    page = owner.get(LIST).content.decode()
    assert f'<img class="thumb" src="{image.thumbnail_url}" alt="" loading="lazy">' in page
    address = f"/admin/characters/character/{quote(luna.pk)}/change/"
    assert f'<a href="{address}">Luna</a>' in page
    assert owner.get(address).status_code == 200
    assert ' style="' not in page


def test_images_are_found_by_prompt_and_by_the_characters_name(owner: Client) -> None:
    luna, nova = someone("Luna"), someone("Nova")
    forest = an_image(luna.pk, prompt="a forest")
    sea = an_image(nova.pk, prompt="the sea", sandbox=True)
    assert found(owner, "?q=forest") == [forest.pk]
    assert found(owner, "?q=nova") == [sea.pk]
    assert found(owner, "?sandbox__exact=1") == [sea.pk]


def test_one_is_looked_at_and_not_changed(owner: Client) -> None:
    image = an_image("char_gone", prompt="a forest")
    page = owner.get(f"{LIST}{quote(image.pk)}/change/")
    assert page.status_code == 200
    assert b"a forest" in page.content
    assert b"char_gone" in page.content
    assert owner.post(f"{LIST}{quote(image.pk)}/change/", {"prompt": "x"}).status_code == 403
    assert owner.get(f"{LIST}add/").status_code == 403


@pytest.mark.parametrize("by_action", [False, True])
def test_deleting_takes_the_files_too(owner: Client, by_action: bool) -> None:
    image = an_image(someone().pk)
    files = (image.path, image.thumbnail_path, image.sidecar_path)
    assert all(file.is_file() for file in files)
    if by_action:
        chosen = {"action": "delete_selected", "_selected_action": [image.pk], "post": "yes"}
        owner.post(LIST, chosen)
    else:
        owner.post(f"{LIST}{image.pk}/delete/", {"post": "yes"})
    assert not Image.objects.exists()
    assert not any(file.exists() for file in files)
