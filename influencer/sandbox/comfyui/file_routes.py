"""Models, uploads and downloads."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import Any

from aiohttp import web
from PIL import Image

from influencer.sandbox.comfyui.catalog import MODEL_FOLDERS
from influencer.sandbox.comfyui.folders import KINDS, Folders, OutsideFolder, inside
from influencer.sandbox.comfyui.routes import server_error
from influencer.sandbox.comfyui.server import Comfy

# Never shown as what they are: they could run in a browser.
ACTIVE = {".html", ".htm", ".js", ".svg", ".xml", ".xhtml", ".css"}
TYPES = {".safetensors": "application/safetensors"}
PREVIEW_QUALITY = 90


class FileRoutes:
    """Handlers of one stand-in."""

    def __init__(self, comfy: Comfy) -> None:
        self.comfy = comfy
        self.folders: Folders = comfy.folders

    def table(self) -> list[tuple[str, str, Any]]:
        return [
            ("GET", "/models", self.model_folders),
            ("GET", "/models/{folder}", self.models),
            ("GET", "/experiment/models", self.experiment_folders),
            ("GET", "/experiment/models/{folder}", self.experiment_models),
            ("GET", "/embeddings", self.embeddings),
            ("GET", "/view_metadata/{folder}", self.metadata),
            ("GET", "/view", self.view),
            ("POST", "/upload/image", self.upload_image),
            ("POST", "/upload/mask", self.upload_mask),
            ("GET", "/internal/files/{kind}", self.files),
        ]

    async def model_folders(self, _request: web.Request) -> web.Response:
        return web.json_response(MODEL_FOLDERS)

    async def models(self, request: web.Request) -> web.Response:
        folder = request.match_info["folder"]
        if folder not in MODEL_FOLDERS:
            return web.Response(status=404)
        return web.json_response(self.comfy.catalog.models(folder))

    async def experiment_folders(self, _request: web.Request) -> web.Response:
        folders = [{"name": name, "folders": [f"ComfyUI/models/{name}"]} for name in MODEL_FOLDERS]
        return web.json_response(folders)

    async def experiment_models(self, request: web.Request) -> web.Response:
        folder = request.match_info["folder"]
        if folder not in MODEL_FOLDERS:
            return web.Response(status=404)
        names = self.comfy.catalog.models(folder)
        return web.json_response([{"name": name, "pathIndex": 0, "size": 0} for name in names])

    async def embeddings(self, _request: web.Request) -> web.Response:
        return web.json_response([Path(name).stem for name in self.comfy.catalog.models("embeddings")])

    async def metadata(self, request: web.Request) -> web.Response:
        """404 both for an unknown file and for one without metadata."""
        name = request.query.get("filename", "")
        found = self.comfy.catalog.metadata(request.match_info["folder"], name)
        return web.json_response(found) if found else web.Response(status=404)

    async def files(self, request: web.Request) -> web.Response:
        kind = request.match_info["kind"]
        return (
            web.json_response(self.comfy.catalog.files(kind)) if kind in KINDS else web.Response(status=400)
        )

    async def view(self, request: web.Request) -> web.StreamResponse:
        """A file of input, output or temp, whole or as a smaller preview."""
        path = _asked_file(self.folders, request)
        if "preview" in request.query or request.query.get("channel", "rgba") != "rgba":
            return await self._converted(path, request)
        headers = {"Content-Disposition": f'filename="{path.name}"', "X-Content-Type-Options": "nosniff"}
        if path.suffix.lower() in ACTIVE:
            headers |= {"Content-Type": "application/octet-stream", "Content-Disposition": "attachment"}
        elif path.suffix in TYPES:
            headers["Content-Type"] = TYPES[path.suffix]
        return web.FileResponse(path, headers=headers)

    async def _converted(self, path: Path, request: web.Request) -> web.Response:
        preview, channel = request.query.get("preview", ""), request.query.get("channel", "rgba")
        try:
            kind, content = await self.comfy.bench.studio.call(_convert, path, preview, channel)
        except OSError:
            raise server_error() from None
        return web.Response(
            body=content,
            content_type=f"image/{kind}",
            headers={"Content-Disposition": f'filename="{path.name}"'},
        )

    async def upload_image(self, request: web.Request) -> web.Response:
        """Keep an uploaded file; the content is never looked at."""
        upload = await _Upload.read(request)
        name = _write(_target(self.folders, upload), upload)
        return web.json_response({"name": name, "subfolder": upload.subfolder, "type": upload.kind})

    async def upload_mask(self, request: web.Request) -> web.Response:
        """Keep the original with the mask's alpha."""
        upload = await _Upload.read(request)
        try:
            original = json.loads(upload.original)
            source = inside(
                self.folders.of(original.get("type", "output")) / original.get("subfolder", ""),
                original["filename"],
            )
            upload.content = await self.comfy.bench.studio.call(_masked, source, upload.content)
        except (ValueError, KeyError, OSError, OutsideFolder):
            raise server_error() from None
        name = _write(_target(self.folders, upload), upload)
        return web.json_response({"name": name, "subfolder": upload.subfolder, "type": upload.kind})


class _Upload:
    """The fields of one multipart upload."""

    def __init__(self, form: Any) -> None:
        file = form.get("image")
        if not isinstance(file, web.FileField) or not file.filename:
            raise web.HTTPBadRequest(text="")
        self.name = file.filename
        self.content = file.file.read()
        self.subfolder = str(form.get("subfolder", ""))
        self.kind = str(form.get("type", "input"))
        self.overwrite = form.get("overwrite") in ("true", "1")
        self.original = str(form.get("original_ref", ""))

    @classmethod
    async def read(cls, request: web.Request) -> _Upload:
        return cls(await request.post())


def _target(folders: Folders, upload: _Upload) -> Path:
    try:
        folder = inside(folders.of(upload.kind), upload.subfolder)
        path = inside(folder, upload.name)
    except KeyError:
        raise server_error() from None
    except (OutsideFolder, ValueError):
        raise web.HTTPBadRequest(text="") from None
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _write(path: Path, upload: _Upload) -> str:
    """Write without replacing another file's content; returns the name that was given."""
    stem, suffix = os.path.splitext(upload.name)
    name, number = upload.name, 0
    while not upload.overwrite and (path.parent / Path(name).name).exists():
        if (path.parent / Path(name).name).read_bytes() == upload.content:
            return name
        number += 1
        name = f"{stem} ({number}){suffix}"
    (path.parent / Path(name).name).write_bytes(upload.content)
    return name


def _asked_file(folders: Folders, request: web.Request) -> Path:
    if "filename" not in request.query:
        raise web.HTTPNotFound(text="")
    name, kind = request.query["filename"], request.query.get("type", "output")
    for other in KINDS:
        if name.endswith(f" [{other}]"):
            name, kind = name.removesuffix(f" [{other}]"), other
    if not name or name.startswith("/") or ".." in name or kind not in KINDS:
        raise web.HTTPBadRequest(text="")
    try:
        folder = inside(folders.of(kind), request.query.get("subfolder", ""))
    except (OutsideFolder, ValueError):
        raise web.HTTPForbidden(text="") from None
    path = folder / Path(name).name
    if not path.is_file():
        raise web.HTTPNotFound(text="")
    return path


def _convert(path: Path, preview: str, channel: str) -> tuple[str, bytes]:
    wished, _, quality = preview.partition(";")
    kind = "png" if not preview else "jpeg" if wished == "jpeg" else "webp"
    with Image.open(path) as image:
        picture = _channel(image, channel)
        if kind == "jpeg":
            picture = picture.convert("RGB")
        buffer = io.BytesIO()
        picture.save(buffer, kind.upper(), quality=int(quality) if quality.isdecimal() else PREVIEW_QUALITY)
    return kind, buffer.getvalue()


def _channel(image: Image.Image, channel: str) -> Image.Image:
    if channel == "rgb":
        return image.convert("RGB")
    if channel == "a":
        alpha = Image.new("RGBA", image.size)
        alpha.putalpha(image.convert("RGBA").getchannel("A"))
        return alpha
    return image.copy()


def _masked(source: Path, mask: bytes) -> bytes:
    buffer = io.BytesIO()
    with Image.open(source) as image, Image.open(io.BytesIO(mask)) as painted:
        result = image.convert("RGBA")
        result.putalpha(painted.convert("RGBA").getchannel("A").resize(image.size))
        result.save(buffer, "PNG", compress_level=4)
    return buffer.getvalue()
