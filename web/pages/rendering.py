"""Templates become pages here: escaped, strict about what they are given, with no arithmetic of their own.

GOV.UK components come from govuk-frontend-jinja, whose macros ask for whatever was not given; they are rendered in an
environment of their own, so that ours can refuse every unknown name.
"""

from functools import cache, lru_cache
from typing import Any

from jinja2 import ChainableUndefined, Environment, PackageLoader, PrefixLoader, StrictUndefined
from markupsafe import Markup

from web.pages import wording
from web.pages.assets import names

_COMPONENTS = Environment(
    loader=PrefixLoader({"govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja")}),
    autoescape=True,
    undefined=ChainableUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
_DIFFERENT_TAGS = 1_000


def component(kind: str, **options: Any) -> Markup:
    """A GOV.UK component: `component("Button", text="Save")`. Its options are those of the Design System's pages."""
    return _tag(**options) if kind == "Tag" else _made(kind, options)


@lru_cache(_DIFFERENT_TAGS)
def _tag(**options: Any) -> Markup:
    """A tag says a state or a kind: there are few, and a list shows the same ones in every row.

    No other component is kept: a field holds what somebody typed.
    """
    return _made("Tag", options)


def _made(kind: str, options: dict[str, Any]) -> Markup:
    return Markup(_macro(kind)(options))  # noqa: S704 - an autoescaping environment made it


@cache
def _macro(kind: str) -> Any:
    folder = "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in kind).lstrip("-")
    template = _COMPONENTS.get_template(f"govuk_frontend_jinja/components/{folder}/macro.html")
    return getattr(template.module, f"govuk{kind}")


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("web.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters |= wording.FILTERS
    environment.globals |= {"component": component, "asset": lambda name: f"/assets/{names()[name]}"}
    return environment


_PAGES = _environment()


def render(template: str, **context: Any) -> str:
    """The page; a name that it asks for and was not given is an error."""
    return _PAGES.get_template(template).render(**context)
