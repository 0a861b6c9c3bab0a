"""The body of a form, read once and kept nowhere: texts in UTF-8, files, and limits on how many of them.

The framework's own reader remembers the last thousand bodies of a process, prices and passwords among them, and lets
each part of a body name the coding that it is read by.
"""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qsl

from litestar import Request
from litestar.exceptions import ClientException
from multipart import MultipartError, MultipartSegment, PushMultipartParser

MOST_FIELDS = 2_000
"""Thirty bids on one page send some hundreds."""

_UNREADABLE = "The form could not be read. Load the page again, and send it once more."


async def read_form(request: Request[Any, Any, Any]) -> tuple[dict[str, str], dict[str, bytes]]:
    """Texts and files by field; of a field that comes several times, the last. ClientException for what is no form."""
    kind, options = request.content_type
    try:
        if kind == "application/x-www-form-urlencoded":
            body = await request.body()
            pairs = parse_qsl(
                body.decode(), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS, separator="&"
            )
            return _sound(dict(pairs)), {}
        if kind == "multipart/form-data":
            return await _in_parts(request.stream(), options.get("boundary", ""))
    except (ValueError, MultipartError):
        # A text that is no UTF-8, more fields than there can be, a body that is not cut where it says.
        raise ClientException(_UNREADABLE) from None
    return {}, {}


async def _in_parts(chunks: AsyncIterator[bytes], boundary: str) -> tuple[dict[str, str], dict[str, bytes]]:
    fields: dict[str, str] = {}
    files: dict[str, bytes] = {}
    segment: MultipartSegment | None = None
    content = bytearray()
    with PushMultipartParser(boundary, max_segment_count=MOST_FIELDS) as parser:
        async for chunk in chunks:
            for part in parser.parse(chunk) if chunk else ():
                if isinstance(part, MultipartSegment):
                    segment, content = part, bytearray()
                elif part is not None:
                    content += part
                elif segment is not None and not segment.filename:
                    fields[segment.name] = content.decode()
                elif segment is not None:
                    files[segment.name] = bytes(content)
    return _sound(fields), files


def _sound(fields: dict[str, str]) -> dict[str, str]:
    """No text that a person writes holds a NUL, and one of the databases keeps none."""
    if any("\0" in name or "\0" in text for name, text in fields.items()):
        raise ValueError("a NUL")
    return fields
