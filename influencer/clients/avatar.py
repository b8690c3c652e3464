"""The image of an account, small enough to be kept with what is known of it."""

from __future__ import annotations

import base64
import io
import logging
from urllib.parse import urlsplit

import requests
from PIL import Image, ImageOps, UnidentifiedImageError

from influencer.clients import addresses, network

log = logging.getLogger(__name__)
SIDE = 96
MOST_BYTES = 2_000_000
SECONDS = 5.0


def data_url(url: str, *, base_url: str = "") -> str:
    """The image at the platform's `url` as a `data:` address of a few kilobytes; empty when there is none.

    Asked for over https, or where the platform itself is reached at `base_url`. Never raises: an
    image that can't be had is no fault of the account.
    """
    origin, own = urlsplit(url), urlsplit(base_url)
    if origin.scheme != "https" and (origin.scheme, origin.netloc) != (own.scheme, own.netloc):
        return ""
    if addresses.fault(url):
        return ""
    try:
        return f"data:image/webp;base64,{base64.b64encode(_small(_fetch(url))).decode()}"
    except (requests.RequestException, UnidentifiedImageError, OSError, ValueError) as error:
        log.info("avatar: not to be had from %s (%s)", origin.hostname, type(error).__name__)
        return ""


def _fetch(url: str) -> bytes:
    with requests.Session() as session:
        session.trust_env = False
        answer = session.get(
            url, timeout=(network.CONNECT_SECONDS / 2, SECONDS), allow_redirects=False, stream=True
        )
        answer.raise_for_status()
        content = answer.raw.read(MOST_BYTES + 1, decode_content=True)
    if len(content) > MOST_BYTES:
        raise ValueError("too large")
    return bytes(content)


def _small(content: bytes) -> bytes:
    with Image.open(io.BytesIO(content)) as image:
        square = ImageOps.fit(image.convert("RGB"), (SIDE, SIDE))
    file = io.BytesIO()
    square.save(file, "WEBP", quality=80)
    return file.getvalue()
