"""The comparison as one HTML file that needs nothing else: pictures with a table beside each, no script."""

from jinja2 import Environment, PackageLoader, StrictUndefined

from dps.kernel.calendar import LONDON
from web.simulation.chapters import chapters, in_short, names_of
from web.simulation.comparing import Comparison

_PAGES = Environment(
    loader=PackageLoader("web.simulation"), autoescape=True, undefined=StrictUndefined, keep_trailing_newline=True
)


def page(compared: Comparison) -> str:
    """The whole file."""
    return _PAGES.get_template("comparison.html").render(
        compared=compared,
        names=names_of(compared),
        begins=f"{compared.begins.astimezone(LONDON):%-d %B %Y}",
        notes=[note for side in compared.sides for note in side.notes],
        in_short=in_short(compared),
        chapters=list(chapters(compared)),
    )
