"""Images in and out: uploads verified, thumbnails, and the JPEG a platform gets.

The AI mark is IPTC's DigitalSourceType in XMP, which Pillow writes into JPEG.
"""

from __future__ import annotations

import hashlib
import io
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Literal

from PIL import Image, ImageCms

from influencer.clients.picture_shape import LIMITS, Fitted, Limits, resize, shape
from influencer.clients.platform import Platform
from influencer.errors import Invalid

MAX_BYTES = 25_000_000
MAX_PIXELS = 50_000_000
Format = Literal["png", "jpeg", "webp"]
# MPO is a JPEG with more pictures behind the first, as phones make it.
FORMATS: dict[str, Format] = {"PNG": "png", "JPEG": "jpeg", "MPO": "jpeg", "WEBP": "webp"}
# EXIF orientation → how to turn the image upright; from 5 on width and height change places.
ORIENTATION = 0x0112
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
QUALITIES = (92, 88, 84, 80, 75, 70, 60, 50)
AI_SOURCE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"

# All that Pillow's decoders raise on broken files.
_BROKEN = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    EOFError,
    OverflowError,
    struct.error,
    zlib.error,
)
_BOMB = (Image.DecompressionBombError, Image.DecompressionBombWarning)
_XMP = (
    '<?xpacket begin="\N{ZERO WIDTH NO-BREAK SPACE}" id="W5M0MpCehiHzreSzNTczkc9d"?>'
    '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
    f'Iptc4xmpExt:DigitalSourceType="{AI_SOURCE}"/>'
    '</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
)


@dataclass(frozen=True)
class Verified:
    """An upload that decodes. Width and height are those a person sees."""

    format: Format
    width: int
    height: int


@dataclass(frozen=True)
class Picture:
    """The JPEG made for a platform. `fitted` says what happened to its shape."""

    jpeg: bytes
    width: int
    height: int
    fitted: Fitted = ""


def verify_upload(content: bytes) -> Verified:
    """Check an own image by decoding it: PNG, JPEG or WebP, at most 25 MB and 50 megapixels.

    Raises `Invalid`.
    """
    _check_bytes(content)
    with _opened(content) as image:
        image.load()
        return _verified(image)


@dataclass(frozen=True)
class Examined:
    """All that keeping an image needs to know of it.

    `thumbnail` is a WebP; `says_sandbox`: the file itself says that the sandbox drew it.
    """

    verified: Verified
    pixel_hash: str
    thumbnail: bytes = field(repr=False)
    says_sandbox: bool = False


def examine(content: bytes, *, thumbnail_size: int) -> Examined:
    """`verify_upload`, `pixel_hash` and `thumbnail` at the price of one decoding. Raises `Invalid`."""
    _check_bytes(content)
    with _opened(content) as image:
        image.load()
        says_sandbox = image.info.get("sandbox") == "true"
        small = _thumbnail(image, thumbnail_size)
        return Examined(_verified(image), _hash(image), small, says_sandbox)


def pixel_hash(content: bytes) -> str:
    """SHA-256 over size and decoded RGB values: the same for every lossless copy, whatever its file.

    Transparency, colour profile and orientation are left out: they don't change the stored values.
    Raises `Invalid`.
    """
    with _opened(content) as image:
        return _hash(image)


def thumbnail(content: bytes, size: int) -> bytes:
    """A WebP whose longer side has at most `size` pixels, without metadata. Raises `Invalid`."""
    with _opened(content) as image:
        # JPEG only: decode no more than is needed.
        image.draft(None, (size * 2, size * 2))
        return _thumbnail(image, size)


def upright(content: bytes) -> Image.Image:
    """The picture as a person sees it: upright, 8 bits, in sRGB, on white. Raises `Invalid`."""
    with _opened(content) as image:
        return _srgb(image)


def _check_bytes(content: bytes) -> None:
    if len(content) > MAX_BYTES:
        raise Invalid("The image is larger than 25 MB. Choose a smaller one.", code="image_too_large")


def _verified(image: Image.Image) -> Verified:
    width, height = image.size
    if _orientation(image) >= 5:
        width, height = height, width
    return Verified(FORMATS[image.format or ""], width, height)


def _hash(image: Image.Image) -> str:
    width, height = image.size
    digest = hashlib.sha256(f"{width}x{height}:".encode())
    for top in range(0, height, 256):
        strip = image.crop((0, top, width, min(top + 256, height)))
        digest.update(strip.convert("RGB").tobytes())
    return digest.hexdigest()


def _thumbnail(image: Image.Image, size: int) -> bytes:
    rgb = _srgb(image)
    rgb.thumbnail((size, size), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    # Higher methods take four times as long for a few percent.
    rgb.save(file, "WEBP", quality=82, method=2)
    return file.getvalue()


def for_platform(content: bytes, platform: Platform | str, *, ai: bool = True) -> Picture:
    """The JPEG for a platform from any stored image: sRGB on white, its shape and size within the limits.

    All metadata is dropped; with `ai` the file says that it was generated. Raises `Invalid`.
    """
    limits = LIMITS[Platform(platform)]
    with _opened(content) as image:
        image.draft(None, (limits.max_width * 2, limits.max_height * 2))
        rgb = _srgb(image)
    shaped, fitted = shape(rgb, limits)
    sized = resize(shaped, limits)
    jpeg, final = _encode(sized, limits, _XMP.encode() if ai else b"")
    return Picture(jpeg, final.width, final.height, fitted)


def dot() -> bytes:
    """The smallest JPEG."""
    return _jpeg(Image.new("L", (1, 1), "white"), 50, b"")


@contextmanager
def _opened(content: bytes) -> Iterator[Image.Image]:
    """The image behind `content`, its size checked before anything is decoded."""
    try:
        with Image.open(io.BytesIO(content), formats=("PNG", "JPEG", "WEBP")) as image:
            if image.width * image.height > MAX_PIXELS:
                raise _too_many_pixels()
            yield image
    except _BOMB as error:
        raise _too_many_pixels() from error
    except _BROKEN as error:
        message = "The file is not an image that can be read. Use PNG, JPEG or WebP."
        raise Invalid(message, code="image_unreadable") from error


def _too_many_pixels() -> Invalid:
    return Invalid("The image has more than 50 megapixels. Choose a smaller one.", code="image_too_large")


def _srgb(image: Image.Image) -> Image.Image:
    """Upright, 8 bits, in sRGB, on white, nothing else attached."""
    image.load()
    profile = image.info.get("icc_profile")
    orientation = _orientation(image)
    upright = _eight_bits(image.transpose(UPRIGHT[orientation]) if orientation > 1 else image)
    clear = upright.convert("RGBA") if upright.has_transparency_data else None
    colours = clear.convert("RGB") if clear else upright
    rgb = _convert(colours, profile if upright.mode in _PROFILED else None)
    if clear:
        white = Image.new("RGB", rgb.size, "white")
        white.paste(rgb, mask=clear.getchannel("A"))
        rgb = white
    # Pillow writes what it finds here into the next file, a comment for example.
    rgb.info.clear()
    return rgb


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 (upright) also where EXIF is damaged: the pixels count."""
    try:
        orientation = image.getexif().get(ORIENTATION, 1)
    except _BROKEN:
        return 1
    return orientation if orientation in UPRIGHT else 1


# Modes whose values a colour profile describes; a palette's are converted to RGB first.
_PROFILED = {"RGB", "RGBA", "CMYK", "L", "P", "PA"}


def _eight_bits(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):
        return image.convert("I").point(lambda value: value / 257).convert("L")
    if image.mode == "I":
        return image.point(lambda value: value / 257).convert("L")
    return image.convert("RGB") if image.mode in {"1", "F", "YCbCr", "LAB", "HSV"} else image


def _convert(image: Image.Image, profile: bytes | None) -> Image.Image:
    if image.mode == "P":
        image = image.convert("RGB")
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            target = ImageCms.createProfile("sRGB")
            converted = ImageCms.profileToProfile(image, source, target, outputMode="RGB")
            return converted or image.convert("RGB")
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            # A broken profile, or one for other channels: show the values as they are.
            pass
    return image.convert("RGB")


def _encode(image: Image.Image, limits: Limits, xmp: bytes) -> tuple[bytes, Image.Image]:
    """The best quality that fits; smaller pixels only when the lowest does not."""
    while True:
        for quality in QUALITIES:
            jpeg = _jpeg(image, quality, xmp)
            if len(jpeg) <= limits.max_bytes:
                return jpeg, image
        image = resize(image, replace(limits, max_width=image.width * 3 // 4))


def _jpeg(image: Image.Image, quality: int, xmp: bytes) -> bytes:
    file = io.BytesIO()
    marks = {"xmp": xmp} if xmp else {}
    image.save(file, "JPEG", quality=quality, optimize=True, **marks)
    return file.getvalue()
