"""The gallery, the dialogs and the files in the browser, with and without htmx."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from characters.images import generation, services, storage
from characters.images.models import Image
from characters.images.planning import Wish
from characters.images.storage import Making
from characters.models import Character
from influencer.jobs import services as jobs
from influencer.jobs.models import Job
from tests.characters.answers import said
from tests.characters.factories import filled
from tests.characters.people import someone
from tests.characters.stage import Stage, drawn, see_through

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    client = Client()
    client.force_login(User.objects.create_user("owner", password="x" * 12))
    return client


@pytest.fixture(autouse=True)
def working(settings: Any) -> Any:
    """Jobs may be queued although no worker lives here."""
    with jobs.working_here():
        yield


def htmx(client: Client, method: str, url: str, data: Any = None) -> Any:
    return getattr(client, method)(url, data or {}, headers={"HX-Request": "true"})


def add(character: Character, **more: Any) -> Image:
    return services.add(character.pk, drawn(**more))


def generated(character: Character, number: int = 0) -> Image:
    recipe = {"prompt": "a tree", "negative": "blur", "model": "sd_xl_base_1.0.safetensors", "lora": ""}
    making = Making(recipe=recipe | {"steps": 4, "cfg": 2.0, "seed": 9, "width": 128, "height": 128})
    return storage.store(f"img_{number}", character_id=character.pk, content=drawn(), making=making)


# --- the dialog ------------------------------------------------------------------------------


def test_the_dialog_starts_with_the_composed_prompt_and_a_shape(client: Client, luna: Character) -> None:
    answer = client.get(reverse("images:generate", args=[luna.pk]))
    assert answer.status_code == 200
    assert answer.context["form"].initial["final_prompt"] == "portrait of luna_character"
    assert 'name="shape" value="" checked' in said(answer)


def test_a_character_without_a_size_starts_with_four_to_five(client: Client, luna: Character) -> None:
    luna.width = luna.height = None
    luna.save()
    assert 'value="4:5" checked' in said(client.get(reverse("images:generate", args=[luna.pk])))


def test_vary_starts_with_the_images_own_recipe_and_seed(client: Client, luna: Character) -> None:
    image = generated(luna)
    answer = client.get(reverse("images:generate", args=[luna.pk]) + f"?like={image.pk}")
    initial = answer.context["form"].initial
    assert (initial["final_prompt"], initial["seed"], initial["steps"]) == ("a tree", 9, 4)


def test_the_dialog_left_as_it_is_uses_the_characters_lora_and_emptied_uses_none(client: Client) -> None:
    luna = someone(lora="luna.safetensors", negative_prompt="blur")
    address = reverse("images:generate", args=[luna.pk])
    sent = filled(client.get(address).content, "gen-form")
    client.post(address, sent)
    assert Job.objects.get().request["lora"] == "luna.safetensors"
    client.post(address, {**sent, "lora": ""})
    assert Job.objects.latest("created_at").request["lora"] == ""


def test_starting_in_the_dialog_shows_the_job_in_its_place(client: Client, luna: Character) -> None:
    answer = htmx(client, "post", reverse("images:generate", args=[luna.pk]), {"final_prompt": "a tree"})
    assert answer.status_code == 200
    job = Job.objects.get()
    assert job.request["prompt"] == "a tree"
    assert f"/generate/{job.pk}/?part=body" in said(answer)
    assert "job-started" in answer["HX-Trigger"]
    assert "<html" not in said(answer)


def test_without_javascript_starting_leads_to_the_jobs_page(client: Client, luna: Character) -> None:
    answer = client.post(reverse("images:generate", args=[luna.pk]), {"final_prompt": "a tree", "count": "2"})
    assert answer.status_code == 303
    page = client.get(answer["Location"])
    assert "<html" in said(page)
    assert "Look again" in said(page)
    assert Job.objects.get().request["count"] == 2


@pytest.mark.parametrize(
    "wrong",
    [{"steps": "0"}, {"seed": "-1"}, {"seed": str(2**53)}, {"count": "9"}, {"shape": "3:3"}, {"cfg": "x"}],
)
def test_a_wrong_value_is_said_in_the_dialog_and_nothing_is_started(
    client: Client, luna: Character, wrong: dict[str, str]
) -> None:
    answer = htmx(
        client, "post", reverse("images:generate", args=[luna.pk]), {"final_prompt": "kept"} | wrong
    )
    assert answer.status_code == 422
    assert "kept" in said(answer)
    assert answer.context["form"].errors.keys() == wrong.keys()
    assert not Job.objects.exists()


def test_a_character_that_is_gone_is_404(client: Client) -> None:
    for name in ("generate", "gallery", "stage", "upload"):
        method = client.post if name == "upload" else client.get
        assert method(reverse(f"images:{name}", args=["char_gone"])).status_code == 404


# --- watching --------------------------------------------------------------------------------


def test_the_job_is_shown_until_the_image_stands_in_its_place(
    stage: Stage, client: Client, luna: Character
) -> None:
    job = generation.start(luna, Wish(prompt="a tree"))
    url = reverse("images:making", args=[luna.pk, job.pk])
    before = said(htmx(client, "get", f"{url}?part=body"))
    assert 'hx-trigger="every 1s' in before
    assert "You can close this" in before
    see_through(job.pk)
    after = htmx(client, "get", f"{url}?part=body")
    assert "every 1s" not in said(after)
    [image] = Image.objects.all()
    assert image.url in said(after)
    for deed in ("Post", "Post to X", "Again", "Vary", "Use as portrait", "Download", "Delete"):
        assert deed in said(after)
    assert f"images-{luna.pk}" in after["HX-Trigger"]


def test_a_failed_generation_says_why_and_offers_a_retry(client: Client, luna: Character) -> None:
    job = generation.start(luna, Wish(prompt="a tree"))
    see_through(job.pk)
    answer = said(client.get(reverse("images:making", args=[luna.pk, job.pk])))
    assert "does not run" in answer
    assert "Retry" in answer


def test_a_job_of_another_character_is_404(client: Client, luna: Character) -> None:
    job = generation.start(luna, Wish())
    other = Character.objects.create(name="Kai", personality="calm")
    assert client.get(reverse("images:making", args=[other.pk, job.pk])).status_code == 404


def test_the_stage_shows_the_running_job_over_the_pictures_and_stops_asking_after_it(
    client: Client, luna: Character
) -> None:
    image = add(luna)
    url = reverse("images:stage", args=[luna.pk])
    assert "every 1s" not in said(client.get(url))
    job = generation.start(luna, Wish())
    during = said(client.get(url))
    assert "every 1s" in during
    assert "Live preview" in during
    jobs.cancel(job.pk)
    after = said(client.get(url))
    assert "every 1s" not in after
    assert image.thumbnail_url in after


# --- the gallery -----------------------------------------------------------------------------


def test_an_empty_gallery_says_the_next_step(client: Client, luna: Character) -> None:
    answer = said(client.get(reverse("images:gallery", args=[luna.pk])))
    assert "No images yet." in answer
    assert reverse("images:generate", args=[luna.pk]) in answer


def test_the_gallery_has_pages_of_24_with_a_link_that_works_without_javascript(
    client: Client, luna: Character
) -> None:
    for number in range(25):
        services.add(luna.pk, drawn(8, 10 + number))
    first = said(client.get(reverse("images:gallery", args=[luna.pk])))
    assert first.count("<figure>") == 24
    assert "1–24 of 25" in first
    assert f"{reverse('characters:detail', args=[luna.pk])}?images=2#gallery" in first
    assert said(client.get(reverse("images:gallery", args=[luna.pk]) + "?images=2")).count("<figure>") == 1
    page = said(client.get(reverse("characters:detail", args=[luna.pk]) + "?images=2"))
    assert "25–25 of 25" in page
    assert f'hx-get="{reverse("images:gallery", args=[luna.pk])}?images=2" hx-trigger=' in page


def test_a_page_that_does_not_exist_shows_the_last(client: Client, luna: Character) -> None:
    add(luna)
    assert said(client.get(reverse("images:gallery", args=[luna.pk]) + "?images=99")).count("<figure>") == 1


def test_a_running_generation_stands_in_the_gallery(client: Client, luna: Character) -> None:
    job = generation.start(luna, Wish())
    assert job.pk in said(client.get(reverse("images:gallery", args=[luna.pk])))


def test_a_file_name_or_prompt_with_markup_is_shown_as_text(client: Client, luna: Character) -> None:
    making = Making(recipe={"prompt": "<script>alert(1)</script>", "seed": 1})
    image = storage.store("img_x", character_id=luna.pk, content=drawn(), making=making)
    for url in (reverse("images:gallery", args=[luna.pk]), reverse("images:show", args=[image.pk])):
        answer = said(client.get(url))
        assert "<script>alert" not in answer
        assert "&lt;script&gt;" in answer


# --- uploads ---------------------------------------------------------------------------------


def files(*contents: bytes) -> dict[str, Any]:
    return {"images": [SimpleUploadedFile(f"{n}.png", content) for n, content in enumerate(contents)]}


def test_images_are_uploaded_with_a_toast_and_a_fresh_gallery(client: Client, luna: Character) -> None:
    url = reverse("images:upload", args=[luna.pk])
    answer = htmx(client, "post", url, files(drawn(), drawn(colour="red")))
    assert answer.status_code == 204
    assert "Added 2 images." in answer["HX-Trigger"]
    assert f"images-{luna.pk}" in answer["HX-Trigger"]
    assert services.gallery(luna.pk).count() == 2


def test_without_javascript_an_upload_leads_back_to_the_gallery(client: Client, luna: Character) -> None:
    answer = client.post(reverse("images:upload", args=[luna.pk]), files(drawn()))
    assert answer.status_code == 303
    assert answer["Location"].endswith("#gallery")
    assert "Added 1 image." in said(client.get(answer["Location"]))


def test_a_file_that_is_no_image_is_named(client: Client, luna: Character) -> None:
    answer = htmx(client, "post", reverse("images:upload", args=[luna.pk]), files(b"no"))
    assert answer.status_code == 422
    assert "0.png: The file is not an image" in answer["HX-Trigger"]
    page = client.post(reverse("images:upload", args=[luna.pk]), files(b"no"))
    assert page.status_code == 422
    assert "0.png: The file is not an image" in said(page)


# --- one image -------------------------------------------------------------------------------


def test_an_image_is_shown_large_with_its_recipe(client: Client, luna: Character) -> None:
    image = generated(luna)
    answer = said(client.get(reverse("images:show", args=[image.pk])))
    for fact in ("a tree", "blur", "120 × 150", '<dd class="clip">9</dd>', "sd_xl_base_1.0"):
        assert fact in answer
    assert "the sandbox" not in answer


def test_an_own_image_offers_no_again(client: Client, luna: Character) -> None:
    answer = said(client.get(reverse("images:show", args=[add(luna).pk])))
    assert "your own upload" in answer
    assert "Again" not in answer


def test_an_image_of_a_deleted_character_can_be_looked_at_and_deleted(client: Client) -> None:
    image = services.add("char_gone", drawn())
    assert client.get(reverse("images:show", args=[image.pk])).status_code == 200
    assert client.post(reverse("images:delete", args=[image.pk])).status_code == 303
    assert not Image.objects.exists()


def test_again_asks_for_the_same_with_a_new_seed(client: Client, luna: Character) -> None:
    image = generated(luna)
    answer = client.post(reverse("images:again", args=[image.pk]))
    assert answer.status_code == 303
    asked = Job.objects.get().request
    assert (asked["prompt"], asked["steps"], asked["seed"]) == ("a tree", 4, None)


def test_use_as_portrait_says_so(client: Client, luna: Character) -> None:
    image = add(luna)
    answer = client.post(reverse("images:portrait", args=[image.pk]))
    assert answer.status_code == 303
    assert "portrait now" in said(client.get(answer["Location"]))
    assert Character.objects.get(pk=luna.pk).avatar_image_id == image.pk


def test_deleting_asks_first_and_names_what_goes(client: Client, luna: Character) -> None:
    image = add(luna)
    url = reverse("images:delete", args=[image.pk])
    asked = said(client.get(url))
    assert "The image, its thumbnail and its recipe go." in asked
    assert Image.objects.exists()
    answer = htmx(client, "post", url)
    assert "Deleted the image." in answer["HX-Trigger"]
    assert not Image.objects.exists()
    assert client.get(url).status_code == 404


@pytest.mark.parametrize("name", ["again", "portrait"])
def test_deeds_need_a_post(client: Client, luna: Character, name: str) -> None:
    assert client.get(reverse(f"images:{name}", args=[add(luna).pk])).status_code == 405


# --- files -----------------------------------------------------------------------------------


def test_files_are_served_for_a_year_under_an_address_that_never_changes(
    client: Client, luna: Character
) -> None:
    image = add(luna)
    answer = client.get(image.url)
    assert b"".join(answer.streaming_content) == image.path.read_bytes()
    assert answer["Content-Type"] == "image/png"
    assert answer["Cache-Control"] == "private, max-age=31536000, immutable"
    assert answer["X-Content-Type-Options"] == "nosniff"
    small = client.get(image.thumbnail_url)
    assert small["Content-Type"] == "image/webp"
    assert b"".join(small.streaming_content) == image.thumbnail_path.read_bytes()


def test_a_download_has_the_files_name(client: Client, luna: Character) -> None:
    image = add(luna)
    assert f'filename="{image.path.name}"' in client.get(f"{image.url}?download")["Content-Disposition"]


def test_without_signing_in_no_file_is_served(luna: Character) -> None:
    image = add(luna)
    for url in (image.url, image.thumbnail_url, reverse("images:show", args=[image.pk])):
        answer = Client().get(url)
        assert answer.status_code == 302
        assert "/login/" in answer["Location"]


def test_a_missing_image_or_file_is_404(client: Client, luna: Character) -> None:
    image = add(luna)
    image.path.unlink()
    assert client.get(image.url).status_code == 404
    assert client.get(reverse("images:file", args=["img_none"])).status_code == 404
    assert client.get("/images/..%2F..%2Fetc/file").status_code == 404
