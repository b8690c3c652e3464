"""Trainings in the real admin: to look at."""

from __future__ import annotations

import pytest
from django.contrib.admin.utils import quote
from django.contrib.auth.models import User
from django.test import Client

from characters.training.models import Training
from tests.characters.people import someone

pytestmark = pytest.mark.django_db

LIST = "/admin/training/training/"


def test_trainings_are_listed_and_shown_but_not_changed() -> None:
    client = Client()
    client.force_login(User.objects.create_superuser("owner", password="x" * 12))
    training = Training.objects.create(
        id="train_1", character_id=someone().pk, state="succeeded", lora="luna.safetensors", version=2
    )
    page = client.get(LIST).content.decode()
    assert "luna.safetensors" in page and "Luna" in page
    assert client.get(f"{LIST}?q=luna.safe").context["cl"].result_count == 1
    assert client.get(f"{LIST}{quote(training.pk)}/change/").status_code == 200
    assert client.get(f"{LIST}add/").status_code == 403
    assert client.post(f"{LIST}{quote(training.pk)}/change/", {"state": "failed"}).status_code == 403
