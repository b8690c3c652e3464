"""A training from its pictures to the LoRA a character uses, against the real sandbox."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.utils import timezone
from PIL import Image as Picture

from characters import services as characters
from characters.images import services as images
from characters.models import Character
from characters.training import following, services
from characters.training.forms import Wish
from characters.training.models import Training, TrainingState
from characters.training.running import finished
from influencer.clients.comfyui import Family
from influencer.errors import Conflict, Invalid, NotFound
from influencer.jobs import services as jobs
from influencer.jobs.models import Job, JobState
from tests.characters.people import someone
from tests.characters.stage import Stage, attempt, eventually, see_through
from tests.characters.training.lessons import BASE, STEPS, begun, sources

pytestmark = pytest.mark.django_db


def trained(character: Character, **wish: Any) -> Training:
    training = begun(character, **wish)
    job = see_through(training.job_id)
    assert job.state == JobState.SUCCEEDED, job.error
    return services.get(training.pk)


def test_a_training_ends_with_a_proven_lora_that_the_character_uses(stage: Stage, luna: Character) -> None:
    training = trained(luna)
    assert training.state == TrainingState.SUCCEEDED
    assert training.lora.startswith("luna_sd15_")
    assert training.lora.endswith(f"_{STEPS}_steps_00001_.safetensors")
    assert training.lora in stage.comfy("/models/loras")
    assert (training.step, training.version, training.sandbox) == (STEPS, 1, True)
    assert (training.family, training.base_model) == (Family.SD15, BASE)
    assert training.started_at and training.finished_at
    character = characters.get(luna.pk)
    assert (character.lora, character.lora_strength) == (training.lora, 1.0)
    assert (character.trigger_word, character.preferred_model) == ("luna_character", BASE)
    assert services.attached([training]) == {training.pk}


def test_it_is_proven_by_one_image_with_and_one_without_at_the_same_seed(
    stage: Stage, luna: Character
) -> None:
    training = trained(luna)
    with_it, without = images.get(training.image_with), images.get(training.image_without)
    assert (with_it.lora, without.lora) == (training.lora, "")
    assert with_it.seed == without.seed
    assert with_it.prompt == without.prompt == "portrait of luna_character"
    assert with_it.pixel_hash != without.pixel_hash
    assert (with_it.width, with_it.height, with_it.model) == (512, 512, BASE)


def test_the_server_gets_shaped_pictures_and_captions_in_a_folder_of_their_own(
    stage: Stage, luna: Character
) -> None:
    trained(luna)
    trained(luna)
    folders = sorted((stage.folder / "comfyui" / "input" / "trainsets").iterdir())
    assert len(folders) == 2
    for folder in folders:
        names = sorted(path.name for path in folder.iterdir())
        assert names == sorted(f"{n:03}.{kind}" for n in range(5) for kind in ("png", "txt"))
        with Picture.open(folder / "002.png") as picture:
            assert picture.size == (448, 576)
        assert (folder / "002.txt").read_text() == "luna_character, smiling 2"


def test_captions_with_the_trigger_word_lie_beside_the_pictures_too(stage: Stage, luna: Character) -> None:
    training = begun(luna, trigger_word="ohwx woman")
    texts = {path.read_text() for path in training.folder.glob("*.txt")}
    assert texts == {f"ohwx woman, smiling {n}" for n in range(5)}


def test_a_slice_lets_go_of_the_worker_and_shows_how_far_it_is(stage: Stage, luna: Character) -> None:
    stage.order("comfyui", "train_stall")
    training = begun(luna)
    job = attempt(training.job_id)
    assert (job.state, job.reason, job.is_following) == (JobState.WAITING, "following", True)
    assert job.until and job.until - timezone.now() < timedelta(seconds=6)
    eventually(lambda: attempt(job.pk) and services.get(training.pk).step >= STEPS // 2 - 1)
    training, job = services.get(training.pk), jobs.get(job.pk)
    assert training.state == TrainingState.RUNNING
    assert job.message.startswith(f"Step {training.step} of {STEPS}")
    assert 0.3 < job.progress < 0.6
    assert [step.state for step in job.steps.all()][:3] == ["succeeded", "succeeded", "waiting"]
    assert training.loss
    jobs.cancel(job.pk)
    attempt(job.pk)


def test_the_loss_is_kept_as_a_falling_curve(stage: Stage, luna: Character) -> None:
    stage.speed(3)
    training = begun(luna, steps=60)
    eventually(lambda: attempt(training.job_id) and services.get(training.pk).lora)
    stage.speed(400)
    see_through(training.job_id)
    curve = services.get(training.pk).loss
    assert len(curve) > 4
    assert all(before[0] < after[0] for before, after in pairwise(curve))
    assert curve[-1][1] < curve[0][1]


def test_a_long_curve_is_thinned_out_but_keeps_its_ends() -> None:
    training = Training(character_id="char_1", loss=[])
    training.save = lambda **_: None  # type: ignore[method-assign,assignment]
    for step in range(1, 3001):
        following._draw(training, following.Look(loss=((step, 1 / step),)))
        following._draw(training, following.Look(loss=((step, 1 / step),)))
    assert len(training.loss) <= following.MOST_POINTS
    assert training.loss[0][0] == 1
    assert training.loss[-1][0] == 3000


def test_the_time_left_is_told_from_the_pace(stage: Stage, luna: Character) -> None:
    stage.order("comfyui", "train_stall")
    training = begun(luna)
    eventually(lambda: attempt(training.job_id) and services.get(training.pk).step >= STEPS // 2 - 1)
    job = Job.objects.get(pk=training.job_id)
    minute_ago = (timezone.now() - timedelta(minutes=1)).isoformat()
    job.memo |= {"first": [4, minute_ago], "moved_at": minute_ago}
    job.save(update_fields=["memo"])
    Training.objects.update(step=10)
    told = attempt(job.pk).message
    left = services.get(training.pk).seconds_left
    assert left and 60 < left < 120
    assert told.endswith("left")
    jobs.cancel(job.pk)
    attempt(job.pk)


def test_the_log_tells_what_happened_in_order(stage: Stage, luna: Character) -> None:
    told = [line for _, line in trained(luna).log]
    wanted = ["trains on", "5 images sent", "Handed over", "The LoRA is there", "differ", "uses it"]
    places = [next(n for n, line in enumerate(told) if part in line) for part in wanted]
    assert places == sorted(places)


def test_without_attach_the_character_stays_as_it_is(stage: Stage, luna: Character) -> None:
    training = trained(luna, attach=False)
    assert characters.get(luna.pk).lora == ""
    assert jobs.get(training.job_id).steps.get(name="attach").state == "skipped"
    services.attach(training)
    assert characters.get(luna.pk).lora == training.lora


def test_versions_are_kept_and_can_be_switched(stage: Stage, luna: Character) -> None:
    first, second = trained(luna), trained(luna, trigger_word="ohwx")
    assert [one.version for one in services.versions(luna.pk)] == [2, 1]
    assert characters.get(luna.pk).lora == second.lora
    Character.objects.change(luna.pk, lambda record: setattr(record, "lora_strength", 0.7))
    character = services.attach(first)
    assert (character.lora, character.trigger_word) == (first.lora, "luna_character")
    assert character.lora_strength == 0.7, "a weight once found is kept"
    assert services.attached([first, second]) == {first.pk}


def test_a_lora_of_someone_elses_making_gives_way_with_its_weight(stage: Stage) -> None:
    luna = someone(lora="luna_v3.safetensors", lora_strength=0.4, preferred_model=BASE)
    trained(luna)
    assert characters.get(luna.pk).lora_strength == 1.0


def test_a_model_of_the_same_family_stays_the_characters_own(stage: Stage) -> None:
    luna = someone(preferred_model="realisticvision_v1-5.safetensors")
    training = trained(luna)
    assert characters.get(luna.pk).preferred_model == "realisticvision_v1-5.safetensors"
    kai = someone("Kai", preferred_model="sd_xl_base_1.0.safetensors")
    Training.objects.filter(pk=training.pk).update(character_id=kai.pk)
    services.attach(services.get(training.pk))
    assert characters.get(kai.pk).preferred_model == BASE


def test_only_what_is_proven_can_be_used(luna: Character) -> None:
    training = Training.objects.create(character_id=luna.pk, state=TrainingState.FAILED, lora="x")
    with pytest.raises(Conflict) as refused:
        services.attach(training)
    assert refused.value.code == "not_proven"


def test_what_is_not_said_comes_from_the_character_and_the_family(stage: Stage, luna: Character) -> None:
    training = services.start(luna, sources(), Wish())
    assert training.base_model == "sd_xl_base_1.0.safetensors"
    assert (training.resolution, training.steps, training.rank) == (1024, 1500, 16)
    assert (training.learning_rate, training.trigger_word, training.name) == (
        0.0003,
        "luna_character",
        "Luna",
    )
    assert 0 <= training.seed < 2**53
    kai = someone("Kai Ó", trigger_word="", preferred_model=BASE)
    training = services.start(kai, sources(), Wish(rights_confirmed=True))
    assert (training.base_model, training.resolution, training.trigger_word) == (
        BASE,
        512,
        "kai_o_character",
    )
    assert training.rights_confirmed


def test_the_dialog_is_offered_what_can_be_asked_for(stage: Stage, luna: Character) -> None:
    offer = services.offer(luna)
    assert [base.name for base in offer.bases] == [
        "sd_xl_base_1.0.safetensors",
        "sdxl_dreamshaper.safetensors",
        "flux1-dev-fp8.safetensors",
        BASE,
    ]
    assert offer.base == offer.bases[0]
    assert offer.trigger_word == "luna_character"
    assert offer.defaults[Family.SD15].resolution == 512


@pytest.mark.parametrize("model", ["qwen_image_2512_fp8_e4m3fn.safetensors", "who_knows.safetensors"])
def test_a_model_that_can_not_be_trained_on_is_refused_and_nothing_kept(
    stage: Stage, luna: Character, model: str
) -> None:
    with pytest.raises(Invalid) as refused:
        begun(luna, base_model=model)
    assert refused.value.code == "family_unsupported"
    assert "baseModel" in refused.value.fields
    assert not Training.objects.exists()
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    ("count", "code"), [(0, "too_few_images"), (2, "too_few_images"), (41, "too_many_images")]
)
def test_too_few_and_too_many_pictures_are_refused(luna: Character, count: int, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        services.start(luna, sources(1) * count, Wish())
    assert refused.value.code == code
    assert list(refused.value.fields) == ["images"]


def test_a_training_begins_only_once(stage: Stage, luna: Character) -> None:
    training = begun(luna)
    with pytest.raises(Conflict):
        services.begin(training.pk, Wish())
    assert Job.objects.count() == 1


def test_one_training_is_found_only_under_its_character(luna: Character) -> None:
    training = Training.objects.create(character_id=luna.pk)
    assert services.get(training.pk, character_id=luna.pk) == training
    for wrong in ({"pk": "train_0"}, {"pk": training.pk, "character_id": "char_0"}):
        with pytest.raises(NotFound):
            services.get(**wrong)


def test_the_end_of_a_job_without_its_training_does_no_harm() -> None:
    finished(Job(kind="train_lora", request={"trainingId": "train_0"}, state=JobState.FAILED))
