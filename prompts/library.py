"""A page of the library: each prompt with its character, picture, post, and what it comes too close to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from characters.images import planning
from characters.images.models import Image
from characters.models import Character
from characters.publishing.models import Post, PostState
from characters.publishing.words import Words
from influencer.clients.platform import Platform
from influencer.jsondb import seen
from prompts import closeness
from prompts.closeness import Closeness
from prompts.models import Prompt, Source

WRITTEN: dict[str, str] = {Source.AI: "written by AI", Source.TEMPLATES: "written without AI"}


@dataclass(frozen=True)
class Row:
    """What the library shows of one prompt."""

    prompt: Prompt
    character: Character | None = None
    image: Image | None = None
    post: Post | None = None
    close: Closeness | None = None

    @property
    def name(self) -> str:
        if self.character:
            return self.character.name
        return self.prompt.character_name or self.prompt.character_id or "No character"

    @property
    def written(self) -> str:
        """Who wrote it, when that was not a person."""
        return WRITTEN.get(self.prompt.caption_source) or WRITTEN.get(self.prompt.source, "")

    @property
    def caption_mark(self) -> str:
        """How the caption looked when it was shown."""
        return seen.mark(self.prompt.caption)


def rows(prompts: Iterable[Prompt]) -> list[Row]:
    """A page's rows: three queries and two looks at files, however many they are."""
    shown = list(prompts)
    owners = Character.objects.in_bulk({prompt.character_id for prompt in shown})
    images = _images(shown, owners)
    posts = _posts(images.values())
    close = closeness.find(shown)
    return [
        Row(
            prompt,
            owners.get(prompt.character_id),
            images.get(prompt.pk),
            posts.get(images[prompt.pk].pk) if prompt.pk in images else None,
            close.get(prompt.pk),
        )
        for prompt in shown
    ]


def row(prompt: Prompt) -> Row:
    return rows([prompt])[0]


def image_of(prompt: Prompt, character: Character) -> Image | None:
    """The newest image made from a prompt."""
    return _images([prompt], {character.pk: character}).get(prompt.pk)


def words_for(image: Image, platform: Platform) -> Words | None:
    """Caption and alt text of the prompt an image was made from, if it has a caption."""
    library = Prompt.objects.filter(character_id=image.character_id)
    captioned = [prompt for prompt in library if prompt.caption_for(platform)]
    source = next((prompt for prompt in captioned if image.pk in prompt.images), None)
    source = source or _by_words(image, captioned)
    return Words(source.caption_for(platform), source.alt_text) if source else None


def _by_words(image: Image, prompts: Sequence[Prompt]) -> Prompt | None:
    """The prompt whose words alone the image was made from."""
    owner = Character.objects.filter(pk=image.character_id).first()
    if owner is None or not image.prompt:
        return None
    made = (one for one in prompts if planning.final_prompt(owner, one.prompt) == image.prompt)
    return next(made, None)


def _images(prompts: Sequence[Prompt], owners: dict[str, Character]) -> dict[str, Image]:
    """The newest image of each, of those it names and those made from just its words."""
    named = Image.objects.in_bulk([pk for prompt in prompts for pk in prompt.images[-5:]])
    made = _made_from([prompt for prompt in prompts if prompt.character_id in owners], owners)
    found = {}
    for prompt in prompts:
        held = [named[pk] for pk in prompt.images if pk in named]
        held += [made[prompt.pk]] if prompt.pk in made else []
        if held:
            found[prompt.pk] = max(held, key=lambda image: (image.created_at, image.pk))
    return found


def _made_from(prompts: Sequence[Prompt], owners: dict[str, Character]) -> dict[str, Image]:
    words = {
        prompt.pk: (prompt.character_id, planning.final_prompt(owners[prompt.character_id], prompt.prompt))
        for prompt in prompts
    }
    texts, ids = {text for _, text in words.values()}, {pk for pk, _ in words.values()}
    if not texts:
        return {}
    made = Image.objects.filter(character_id__in=ids, prompt__in=texts).defer("recipe").order_by("created_at")
    moments = [prompt.created_at for prompt in prompts]
    if oldest := min((moment for moment in moments if moment), default=None):
        # No image is older than the prompt it was made from, unless somebody wrote the file by hand.
        made = made if None in moments else made.filter(created_at__gte=oldest)
    newest = {(image.character_id, image.prompt): image for image in made}
    return {pk: newest[key] for pk, key in words.items() if key in newest}


def _posts(images: Iterable[Image]) -> dict[str, Post]:
    """The newest post of each image that is out."""
    ids = [image.pk for image in images]
    out = Post.objects.filter(image_id__in=ids, state=PostState.PUBLISHED) if ids else Post.objects.none()
    return {post.image_id: post for post in out.order_by("created_at")}
