"""Posts: creating, reading and deleting them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from influencer.sandbox.store import DAY, Account, Picture, Post, Store, is_text
from influencer.sandbox.x import problems, uploads
from influencer.sandbox.x.access import SERVICE
from influencer.sandbox.x.ids import new_id
from influencer.sandbox.x.problems import forbidden, invalid
from influencer.sandbox.x.wording import as_answered, cashtags, too_long, with_short_links

FLAGS = {"made_with_ai", "paid_partnership", "nullcast", "for_super_followers_only", "share_with_followers"}
# In the specification, but not for an account of this kind: refused as X does it.
NOT_FOR_US = {
    "reply",
    "quote_tweet_id",
    "poll",
    "community_id",
    "geo",
    "card_uri",
    "direct_message_deep_link",
}
NOT_FOR_US |= {"edit_options"}
KNOWN = FLAGS | NOT_FOR_US | {"text", "media", "reply_settings"}
REPLY_SETTINGS = {"following", "mentionedUsers", "subscribers", "verified"}
# Fields of the specification that have no value here.
SILENT = {
    "article",
    "card_uri",
    "community_id",
    "context_annotations",
    "conversation_id",
    "display_text_range",
}
SILENT |= {"edit_controls", "geo", "in_reply_to_user_id", "lang", "media_metadata", "note_tweet", "scopes"}
SILENT |= {
    "possibly_sensitive",
    "promoted_metrics",
    "referenced_tweets",
    "reply_settings",
    "source",
    "withheld",
}
LARGEST_ID = 2**63 - 1
COUNTS = ("retweet_count", "reply_count", "like_count", "quote_count", "bookmark_count", "impression_count")


def text_of(body: Any) -> str:
    """The text a call would post, for counting calls."""
    text = body.get("text", "") if isinstance(body, dict) else ""
    return text if is_text(text) else ""


def create(store: Store, account: Account, body: Any) -> Post:
    """Raises `Refused` with what X says about such a body."""
    _check(body)
    text = body.get("text", "")
    pictures = _pictures(store, account, body.get("media"))
    if not text and not pictures:
        raise invalid("One of `text` or `media` is required.", text=text)
    if too_long(text) or cashtags(text) > 1:
        raise forbidden()
    if text and _said_before(store, account, text):
        raise forbidden(problems.DUPLICATE)
    return _store(store, account, body=body, pictures=pictures)


def _store(store: Store, account: Account, *, body: Any, pictures: tuple[Picture, ...]) -> Post:
    post_id, text = new_id(store), body.get("text", "")
    shown, links = with_short_links(text, post_id, has_media=bool(pictures))
    post = Post(
        service=SERVICE,
        id=post_id,
        account=account.id,
        text=text,
        created=store.now(),
        shown=shown,
        ai_label=body.get("made_with_ai", False),
        pictures=pictures,
        code=post_id,
        extra={"links": links, "media_ids": (body.get("media") or {}).get("media_ids", [])},
    )
    store.add_post(post)
    return post


def _check(body: Any) -> None:
    if not isinstance(body, dict):
        raise invalid("The body must be a JSON object.")
    for name in body:
        if name not in KNOWN:
            raise invalid(
                f"[$.{name}: is not defined in the schema and the schema does not allow additional"
                " properties]",
                **{name: body[name]},
            )
    if not is_text(body.get("text", "")):
        raise invalid("[$.text: expected type: String]", text="")
    for name in FLAGS & set(body):
        if not isinstance(body[name], bool):
            raise invalid(f"[$.{name}: expected type: Boolean]", **{name: body[name]})
    if body.get("reply_settings", "following") not in REPLY_SETTINGS:
        raise invalid("[$.reply_settings: is not one of the values]", reply_settings=body["reply_settings"])
    if NOT_FOR_US & set(body):
        raise forbidden()


def _pictures(store: Store, account: Account, media: Any) -> tuple[Picture, ...]:
    if media is None:
        return ()
    if not isinstance(media, dict) or set(media) - {"media_ids", "tagged_user_ids"}:
        raise invalid("[$.media: is not valid]", media=media)
    ids = media.get("media_ids")
    if not isinstance(ids, list) or not 1 <= len(ids) <= 4 or len(set(map(str, ids))) < len(ids):
        raise invalid("[$.media.media_ids: must hold 1 to 4 different ids]", media__media_ids=ids)
    if not all(isinstance(item, str) for item in ids):
        raise invalid("[$.media.media_ids: expected type: String]", media__media_ids=ids)
    found = [uploads.usable(store, account, item) for item in ids]
    if None in found:
        raise invalid(problems.BAD_MEDIA, media__media_ids=", ".join(ids))
    return tuple(upload.picture for upload in found if upload)


def _said_before(store: Store, account: Account, text: str) -> bool:
    """X compares with recent posts; here those of the last day."""
    wanted = " ".join(text.split())
    recent = store.posts(SERVICE, "account = ? AND created > ?", account.id, store.now() - DAY)
    return any(" ".join(post.text.split()) == wanted for post in recent)


def created_answer(post: Post) -> dict[str, Any]:
    return {"data": {"id": post.id, "text": as_answered(post.shown), "edit_history_tweet_ids": [post.id]}}


def delete(store: Store, account: Account, post_id: str) -> dict[str, Any]:
    post = store.post(SERVICE, post_id)
    if post is None:
        raise problems.not_found()
    if post.account != account.id:
        raise forbidden()
    store.delete_post(SERVICE, post_id)
    return {"data": {"deleted": True}}


def timeline(store: Store, account_id: str, query: Mapping[str, str]) -> dict[str, Any]:
    """The account's posts, newest first; a new one is missing for `x_timeline_lag` seconds."""
    limit = query.get("max_results", "10")
    if not limit.isdecimal() or not 5 <= int(limit) <= 100:
        raise invalid(
            f"The `max_results` query parameter value [{limit}] is not between 5 and 100", max_results=limit
        )
    visible = store.now() - store.limit("x_timeline_lag")
    condition, words = "account = ? AND created <= ?", [account_id, visible]
    if since := query.get("since_id"):
        condition, words = f"{condition} AND CAST(id AS INTEGER) > ?", [*words, _id(since, "since_id")]
    if start := query.get("start_time"):
        condition, words = f"{condition} AND created >= ?", [*words, _moment(start)]
    found = list(store.posts(SERVICE, condition, *words, limit=int(limit)))
    if not found:
        return {"meta": {"result_count": 0}}
    meta = {"result_count": len(found), "newest_id": found[0].id, "oldest_id": found[-1].id}
    return {"data": [answer(post, query) for post in found], "meta": meta}


def _id(text: str, name: str) -> int:
    if not text.isdecimal() or int(text[:20]) > LARGEST_ID:
        raise invalid(f"The `{name}` query parameter value [{text}] is not valid", **{name: text})
    return int(text)


def _moment(text: str) -> float:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise invalid(f"The `start_time` query parameter value [{text}] is not valid", start_time=text)
    return moment.timestamp()


def answer(post: Post, query: Mapping[str, str]) -> dict[str, Any]:
    """The post with the `tweet.fields` asked for. Raises `Refused` (400) for an unknown one."""
    asked = [name for name in query.get("tweet.fields", "").split(",") if name]
    values = _values(post)
    for name in asked:
        if name not in values and name not in SILENT:
            raise invalid(
                f"The `tweet.fields` query parameter value [{name}] is not one of the known fields",
                **{"tweet.fields": name},
            )
    names = dict.fromkeys(["id", "text", "edit_history_tweet_ids", *asked])
    found = {name: values[name]() for name in names if name in values}
    return {name: value for name, value in found.items() if value}


def _values(post: Post) -> dict[str, Callable[[], Any]]:
    return {
        "id": lambda: post.id,
        "text": lambda: as_answered(post.shown),
        "edit_history_tweet_ids": lambda: [post.id],
        "author_id": lambda: post.account,
        "created_at": lambda: _time(post.created),
        "attachments": lambda: _attachments(post),
        "entities": lambda: {"urls": post.extra["links"]} if post.extra["links"] else None,
        "public_metrics": lambda: dict.fromkeys(COUNTS, 0),
        "non_public_metrics": lambda: {"impression_count": 0, "user_profile_clicks": 0},
        "organic_metrics": lambda: dict.fromkeys(("impression_count", "like_count", "reply_count"), 0),
    }


def _attachments(post: Post) -> dict[str, Any] | None:
    keys = [f"3_{media_id}" for media_id in post.extra["media_ids"]]
    return {"media_keys": keys} if keys else None


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
