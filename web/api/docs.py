"""The API's own manual: one page made from the OpenAPI document, without a script and without any other address."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import Litestar, Request
from litestar.openapi.plugins import OpenAPIRenderPlugin

from web.api.guards import Only

_PAGES = Environment(
    loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)


@dataclass(frozen=True, slots=True)
class Operation:
    """One route as the page shows it."""

    method: str
    path: str
    words: str
    roles: tuple[str, ...]
    parameters: list[dict[str, Any]]
    body: str | None
    answer: str


class DocsPage(OpenAPIRenderPlugin):
    """Serves the page at the documentation's root."""

    def __init__(self) -> None:
        super().__init__(path="/")

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        roles = roles_by_route(request.app)
        tags: dict[str, list[Operation]] = {}
        for operation, tag in _operations(openapi_schema, roles):
            tags.setdefault(tag, []).append(operation)
        schemas = {
            name: json.dumps(schema, indent=2, ensure_ascii=False)
            for name, schema in sorted(openapi_schema["components"].get("schemas", {}).items())
        }
        page = _PAGES.get_template("docs.html").render(info=openapi_schema["info"], tags=tags, schemas=schemas)
        return page.encode()


def roles_by_route(app: Litestar) -> dict[tuple[str, str], tuple[str, ...]]:
    """For each (path, method): the roles its guards let pass; none of them means everybody."""
    return {
        (route.path, method): tuple(
            str(role) for guard in handler.guards or () if isinstance(guard, Only) for role in guard.roles
        )
        for route in app.routes
        for handler in getattr(route, "route_handlers", ())
        for method in getattr(handler, "http_methods", ())
    }


def _operations(
    schema: dict[str, Any], roles: dict[tuple[str, str], tuple[str, ...]]
) -> Iterator[tuple[Operation, str]]:
    by_format = {(_as_written(path), method): found for (path, method), found in roles.items()}
    for path, item in schema["paths"].items():
        for method, operation in item.items():
            body = operation.get("requestBody", {}).get("content", {})
            done: dict[str, Any] = next(
                (answer for code, answer in operation["responses"].items() if code.startswith("2")), {}
            )
            yield (
                Operation(
                    method=method.upper(),
                    path=path,
                    words=operation.get("description") or operation.get("summary", ""),
                    roles=by_format[path, method.upper()],
                    parameters=operation.get("parameters", []),
                    body=next((_named(part["schema"]) for part in body.values()), None),
                    answer=next((_named(part["schema"]) for part in done.get("content", {}).values()), ""),
                ),
                next(iter(operation.get("tags", ())), "Service"),
            )


def _as_written(path: str) -> str:
    """`/bids/{ref:str}` as OpenAPI has it: `/bids/{ref}`."""
    parts = [part.partition(":")[0] + "}" if part.startswith("{") else part for part in path.split("/")]
    return "/".join(parts)


def _named(schema: dict[str, Any]) -> str:
    """A schema in a word: its name, or a list of what."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if schema.get("type") == "array":
        return f"list of {_named(schema.get('items', {}))}"
    return str(schema.get("type", "any"))
