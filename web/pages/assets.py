"""Style sheets and scripts under names that change with their content, so that browsers keep them for ever."""

import json
import re
from functools import cache

from litestar import Response, get
from litestar.params import FromPath

from dps.kernel.errors import Misconfigured, NotFound
from web.api.guards import anyone
from web.frontend.build import NAMES, STATIC

_FOR_EVER = "public, max-age=31536000, immutable"
_TYPES = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}


@cache
def names() -> dict[str, str]:
    """Which file stands for which name; Misconfigured before anything was built."""
    try:
        found: dict[str, str] = json.loads((STATIC / NAMES).read_text())
    except FileNotFoundError:
        raise Misconfigured(reason="The pages' style sheets are not built: run `make setup`.") from None
    return found


@cache
def _files() -> dict[str, bytes]:
    return {name: (STATIC / name).read_bytes() for name in names().values()}


@get("/assets/{name:str}", guards=[anyone], sync_to_thread=False, include_in_schema=False)
def asset(name: FromPath[str]) -> Response[bytes]:
    """One of the built files; nothing else of the disk can be named."""
    content = _files().get(name)
    if content is None:
        raise NotFound(kind="file", ref=name)
    kind = _TYPES[name.rpartition(".")[2]]
    return Response(content, media_type=kind, headers={"Cache-Control": _FOR_EVER})


@get("/theme/{colour:str}", guards=[anyone], sync_to_thread=False, include_in_schema=False)
def theme(colour: FromPath[str]) -> Response[str]:
    """The council's colour as a style sheet of its own, because no page carries a style."""
    if not re.fullmatch(r"[0-9a-f]{6}\.css", colour):
        raise NotFound(kind="file", ref=colour)
    sheet = f":root{{--council:#{colour[:6]}}}\n"
    return Response(sheet, media_type=_TYPES["css"], headers={"Cache-Control": _FOR_EVER})
