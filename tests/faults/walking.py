"""Everybody who may look, and every page and API answer that the route table has: what each of them is told."""

from collections.abc import Iterator, Mapping, Sequence

from dps.kernel.actors import Role
from tests.faults.sinks import Sink
from tests.web.pages.test_page_guards import PageRoute, asked, filled, page_routes, seated
from tests.web.served import Served
from tests.web.test_api_ownership import OWN
from tests.web.test_guards import READ, routes
from web.security.accounts import Part

Refs = Mapping[str, str]

_WITH_KEYS = tuple(role for role in Role if role is not Role.CLOCK)
_ENDS = ("/sign-out", "/sign-out-everywhere")


def pages(
    served: Served,
    stories: Sequence[Refs],
    *,
    provider: str | None,
    parts: Sequence[Part] = tuple(Part),
    posts: bool = False,
    refusals: bool = True,
) -> Iterator[Sink]:
    """Every page as each part sees it, in a browser of its own; providers' people act for `provider`.

    Without `refusals` the pages that a part's guards keep from it are left out (`test_page_guards` walks those). With
    `posts` every form too, sent without a word: what is refused is a page as well.
    """
    for part in parts:
        browser = seated(served, part, provider=provider if part.value.startswith("provider") else None)
        for route in page_routes(served):
            if (route.method != "GET" and not posts) or route.path in _ENDS:
                continue
            if not refusals and not route.is_for(part):
                continue
            for path in _paths(route, stories):
                form = {"csrf": browser.csrf}  # type: ignore[attr-defined]
                answer = asked(browser, route, path, form=form)
                head = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
                yield f"{route.method} {path} as {part}", head.encode() + answer.content


def _paths(route: PageRoute, stories: Sequence[Refs]) -> list[str]:
    if "{" not in route.path:
        return [route.path]
    return list(dict.fromkeys(filled(route.path, dict(story)) for story in stories))


def answers(
    served: Served,
    stories: Sequence[Refs],
    *,
    provider: str | None,
    roles: Sequence[Role] = _WITH_KEYS,
    posts: bool = False,
) -> Iterator[Sink]:
    """Every answer of the API to each role, and with `posts` what it says to an empty body."""
    for role in roles:
        caller = served.caller(role, provider=provider if role is Role.PROVIDER else None)
        for path, method, _guards in routes(served):
            if method != READ and not posts:
                continue
            named = next((name for prefix, name in OWN.items() if path.startswith(f"{prefix}/{{")), "")
            for story in stories if "{" in path else stories[:1]:
                ref = story.get(named) or next(iter(story.values()))
                at = "/".join(_part(part, ref, story) for part in path.split("/"))
                answer = caller.get(at) if method == READ else caller.post(at, {})
                yield f"{method} {at} as {role}", answer.content


def _part(part: str, ref: str, story: Refs) -> str:
    if not part.startswith("{"):
        return part
    name = part[1:].partition(":")[0]
    return story.get(name, ref)
