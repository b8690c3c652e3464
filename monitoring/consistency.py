"""Whether everything in the data folder fits together: what `manage.py check_data` tells."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from django.db import DatabaseError, connection

from characters.images.models import Image
from characters.models import SECRETS, Character
from characters.publishing.models import MediaLink
from characters.training.dataset import files_of
from characters.training.models import Training
from influencer import effective, jsondb, paths
from influencer.errors import Problem
from influencer.jsondb import Finding
from influencer.jsondb.files import store_files

DATABASE = "db.sqlite3"
MEDIA = "media"


def findings() -> list[Finding]:
    """Everything worth mending, errors first; `[]` when all is well. Never holds a secret."""
    found = [*_files(), *_settings(), *_sealed_secrets(), *_database()]
    if not any(finding.file == DATABASE for finding in found):
        found += _media()
    return sorted(found, key=lambda finding: not finding.is_error)


def _files() -> Iterator[Finding]:
    for file in store_files():
        yield from jsondb.check(file.name)


def _settings() -> Iterator[Finding]:
    for key, sentence in effective.look().faults.items():
        yield Finding(effective.FILE, "unusable_value", f"{sentence} It counts as unset.", key)


def _sealed_secrets() -> Iterator[Finding]:
    """Secrets that this key does not open: they would fail only when something is posted."""
    try:
        characters = list(Character.objects.all())
    except Problem:  # the file is damaged, which is a finding already
        return
    for character in characters:
        for name in SECRETS:
            try:
                getattr(character, name).reveal()
            except Problem as problem:
                label = Character._meta.get_field(name).verbose_name  # type: ignore[union-attr]
                yield Finding("characters.json", "sealed_secret", f"{label}: {problem.message}", character.pk)


def _database() -> Iterator[Finding]:
    if connection.vendor != "sqlite":
        return
    try:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA quick_check(5)")
            answers = [str(row[0]) for row in cursor.fetchall()]
    except DatabaseError as error:
        answers = [str(error)]
    for answer in answers:
        if answer != "ok":
            yield Finding(DATABASE, "damaged", f"The database is damaged: {answer}. Copies are in backups/.")


def _media() -> Iterator[Finding]:
    """Rows and files below `media/`, each without the other."""
    known: set[Path] = set()
    for image in Image.objects.iterator():
        parts = (image.path, image.thumbnail_path, image.sidecar_path)
        known.update(parts)
        yield from _missing(image, *parts)
    known |= {paths.media() / name for name in MediaLink.objects.values_list("file", flat=True)}
    known |= _training_files()
    for path in _all_files(paths.media()):
        if path not in known:
            where = str(path.relative_to(paths.media()))
            message = f"No row knows {MEDIA}/{where}. Upload it again, or delete it."
            yield Finding(MEDIA, "file_without_row", message, where, is_error=False)


def _training_files() -> set[Path]:
    trainings = Training.objects.only("character_id", "images").iterator()
    return {path for training in trainings for row in training.images for path in files_of(training, row)}


def _missing(image: Image, picture: Path, thumbnail: Path, sidecar: Path) -> Iterator[Finding]:
    if not picture.is_file():
        message = f"The file {MEDIA}/{image.file} is gone. Put it back, or delete the image."
        yield Finding(MEDIA, "row_without_file", message, image.pk)
    for what, path in (("thumbnail", thumbnail), ("recipe", sidecar)):
        if not path.is_file():
            yield Finding(MEDIA, f"no_{what}", f"Its {what} {path.name} is gone.", image.pk, is_error=False)


def _all_files(folder: Path) -> Iterator[Path]:
    for where, _, names in os.walk(folder):
        yield from (Path(where) / name for name in sorted(names))
