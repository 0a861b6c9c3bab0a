"""Every page names its guard, and the guards bite: route × part × ownership, from the route table itself (law 9)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from httpx import Response
from litestar.routes import HTTPRoute
from sqlmodel import select

from bidding.questions import ask
from bidding.referrals import Referral
from dps.kernel.actors import Actor
from dps.kernel.references import Kind, new_reference
from dps.packages.packages import Package
from dps.packages.persons import Person
from dps.register.applications import Application, ApplicationState, draft
from dps.register.arrangements import ArrangementKind, arrange
from dps.register.blocks import agree_block
from dps.register.document_files import receive_file
from dps.register.location_notices import state_closing
from dps.register.providers import Location, register_provider
from dps.register.suspensions import RunningContracts, SuspensionScope, suspend
from dps.schemes.contracting import Blocks
from tests.web.followed import what_followed
from tests.web.pages.browsing import Browser, an_account
from tests.web.served import Served
from web.api.guards import anyone
from web.pages.guards import HalfSeated, Seated
from web.security import sessions
from web.security.accounts import Part

SQLITE = pytest.mark.parametrize("database_kind", ["sqlite"])

OPEN = {
    ("GET", "/"),
    ("GET", "/assets/{name:str}"),
    ("GET", "/theme/{colour:str}"),
    ("GET", "/calendar/{token:str}"),
    ("GET", "/join"),
    ("GET", "/sign-in"),
    ("POST", "/sign-in"),
    ("POST", "/sign-in/passkey"),
    ("POST", "/sign-in/passkey/options"),
    ("GET", "/sign-in/with/{provider_key:str}"),
    ("GET", "/sign-in/back"),
    ("GET", "/sign-in/invitations/{account:str}/{secret:str}"),
    ("POST", "/sign-in/invitations/{account:str}/{secret:str}"),
}
"""What is shown to everybody. A route that is not here must name who may see it."""


@dataclass(frozen=True)
class PageRoute:
    """One page's route and its one guard."""

    method: str
    path: str
    guards: tuple[object, ...]

    def is_for(self, part: Part) -> bool:
        (guard,) = self.guards
        return guard is anyone or (isinstance(guard, Seated) and guard.is_for(part))


def page_routes(served: Served) -> list[PageRoute]:
    """Every route that is no program's, but those that Litestar answers OPTIONS and HEAD on."""
    return [
        PageRoute(method, route.path, tuple(getattr(guard, "func", guard) for guard in handler.resolve_guards()))
        for route in served.app.routes
        if isinstance(route, HTTPRoute) and not route.path.startswith(("/api", "/health", "/metrics"))
        for handler in route.route_handlers
        for method in sorted(handler.http_methods & {"GET", "POST", "PUT", "PATCH", "DELETE"})
    ]


def seated(served: Served, part: Part, *, authority: str | None = None, provider: str | None = None) -> Browser:
    """A browser in which a new account of this part is signed in."""
    account, browser = an_account(served, part, authority=authority, provider=provider), Browser(served)
    with served.world.database.transaction() as session:
        token = sessions.begin(session, account, is_half=False, now=served.wall.instant)
    browser.client.cookies.set("dps-session", token)
    browser.csrf = sessions.csrf_of(token)  # type: ignore[attr-defined]
    return browser


def asked(
    browser: Browser, route: PageRoute, path: str | None = None, *, form: dict[str, str] | None = None
) -> Response:
    """What this browser gets, without being sent on."""
    path = path or "/".join("REF-0000-0000-0000" if part.startswith("{") else part for part in route.path.split("/"))
    if route.method == "GET":
        return browser.client.get(path, follow_redirects=False)
    return browser.client.request(route.method, path, data=form or {}, follow_redirects=False)


@SQLITE
def test_every_page_names_exactly_one_guard(served: Served) -> None:
    routes = page_routes(served)

    unguarded = [
        (route.method, route.path)
        for route in routes
        if len(route.guards) != 1 or not (route.guards[0] is anyone or isinstance(route.guards[0], Seated | HalfSeated))
    ]

    assert unguarded == []
    assert {(route.method, route.path) for route in routes if route.guards == (anyone,)} == OPEN


@SQLITE
def test_nobody_who_is_not_signed_in_gets_past_a_guard(served: Served, browser: Browser) -> None:
    for route in page_routes(served):
        if route.guards != (anyone,):
            answer = asked(browser, route)

            assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/sign-in"), route


@SQLITE
def test_half_a_session_opens_the_second_factor_and_nothing_else(served: Served) -> None:
    account, browser = an_account(served, Part.BROKER), Browser(served)
    with served.world.database.transaction() as session:
        token = sessions.begin(session, account, is_half=True, now=served.wall.instant)
    browser.client.cookies.set("dps-session", token)

    let_in = {
        route.path
        for route in page_routes(served)
        if route.guards != (anyone,) and asked(browser, route).status_code != 303
    }

    assert let_in == {
        "/sign-in/code",
        "/sign-in/second-factor",
        "/sign-in/code/passkey",
        "/sign-in/code/passkey/options",
    }


@SQLITE
def test_every_part_is_kept_out_of_every_page_that_is_not_its_own(served: Served) -> None:
    for part in Part:
        browser = seated(served, part)
        for route in page_routes(served):
            if route.guards == (anyone,) or isinstance(route.guards[0], HalfSeated):
                continue
            answer = asked(browser, route)
            is_kept_out = answer.status_code == 403 and "not part of your work" in answer.text

            assert is_kept_out is not route.is_for(part), (part, route, answer.status_code)


@SQLITE
def test_a_form_is_shown_to_those_alone_whose_form_is_taken(served: Served) -> None:
    """A guard that was loosened on the page with the form alone would show what its sender then may not do."""
    own = a_story(served)
    routes = page_routes(served)
    takers = {route.path: route for route in routes if route.method == "POST"}
    shown = 0
    for part in Part:
        browser = seated(served, part, provider=own["provider"] if part.value.startswith("provider") else None)
        for route in routes:
            if route.method != "GET" or route.guards == (anyone,) or not route.is_for(part):
                continue
            page = asked(browser, route, filled(route.path, own))
            for action in re.findall(r'<form[^>]*method="post"[^>]*action="([^"]+)"', page.text):
                taker = next(one for path, one in takers.items() if re.fullmatch(as_pattern(path), action))
                assert taker.is_for(part), (part, route, action)
                shown += 1
    assert shown > 50


def as_pattern(path: str) -> str:
    """The route's path as a pattern; a parameter is one part of an address."""
    return "/".join("[^/]+" if part.startswith("{") else re.escape(part) for part in path.split("/"))


@SQLITE
def test_no_form_is_taken_that_this_browser_was_not_given(served: Served) -> None:
    browsers = {part: seated(served, part) for part in (Part.BROKER, Part.PROVIDER_USER)}
    for route in page_routes(served):
        if route.method == "GET" or isinstance(route.guards[0], HalfSeated):
            continue
        for part, browser in browsers.items():
            if route.is_for(part):
                for form in ({}, {"csrf": ""}, {"csrf": "0" * 64}):
                    answer = asked(browser, route, form=form)

                    assert (answer.status_code, "Load the page again" in answer.text) == (403, True), (route, form)


@SQLITE
@pytest.mark.parametrize(
    ("said", "status"), [("cross-site", 403), ("same-site", 403), ("same-origin", 303), ("none", 303)]
)
def test_a_browser_that_says_that_a_form_comes_from_elsewhere_is_believed(
    served: Served, said: str, status: int
) -> None:
    browser = seated(served, Part.BROKER)
    browser.open("/account")

    form, headers = browser.form("/sign-out"), {"sec-fetch-site": said}
    answer = browser.client.post("/sign-out", data=form, headers=headers, follow_redirects=False)

    assert answer.status_code == status


@SQLITE
def test_what_belongs_to_another_is_answered_as_if_it_did_not_exist(served: Served) -> None:
    own = a_story(served)
    other = served.world.provider("Other").provider
    people: list[tuple[Part, dict[str, str | None], dict[str, str | None]]] = [
        (Part.PROVIDER_USER, {"provider": own["provider"]}, {"provider": other}),
        (Part.BROKER, {"authority": served.world.authority}, {"authority": "another-council"}),
        (Part.APPROVER, {"authority": served.world.authority}, {"authority": "another-council"}),
        (Part.REQUESTER, {"authority": served.world.authority}, {"authority": served.world.authority}),
        (Part.REGISTER_OFFICER, {"authority": served.world.authority}, {"authority": "another-council"}),
    ]
    looked_at = set()
    for part, ours, theirs in people:
        owner, stranger = seated(served, part, **ours), seated(served, part, **theirs)
        for route in page_routes(served):
            if "_ref:str}" not in route.path or not route.is_for(part):
                continue
            path = filled(route.path, own)
            missing = filled(route.path, {})
            forms = {"csrf": stranger.csrf, "reason": "A reason in words.", **SENT}  # type: ignore[attr-defined]
            foreign = asked(stranger, route, path, form=forms)
            unknown = asked(stranger, route, missing, form=forms)

            assert (foreign.status_code, unknown.status_code) == (404, 404), (part, route)
            assert foreign.text == unknown.text, (part, route)
            if route.method == "GET":
                looked_at.add((part, route.path, asked(owner, route, path).status_code))

    assert {status for _, _, status in looked_at} <= {200, 404, 409}
    assert len([one for one in looked_at if one[2] == 200]) > 12


@SQLITE
def test_no_list_shows_what_belongs_to_another(served: Served) -> None:
    own = a_story(served)
    other = served.world.provider("Other", localities=[served.world.scheme.localities[1].key]).provider
    strangers = [
        (Part.PROVIDER_USER, seated(served, Part.PROVIDER_USER, provider=other)),
        (Part.BROKER, seated(served, Part.BROKER, authority="another-council")),
    ]
    owner = seated(served, Part.PROVIDER_USER, provider=own["provider"])
    lists = [route for route in page_routes(served) if route.method == "GET" and "{" not in route.path]

    for part, stranger in strangers:
        for route in lists:
            if route.is_for(part) and route.path != "/account":
                text = asked(stranger, route).text
                # Every office knows of every provider: they are shared by all authorities.
                shared = {own["provider"]} if part is Part.BROKER else set()
                assert not [ref for ref in own.values() if ref in text and ref not in shared], (part, route)
    for path, named in (
        ("/portal/contracts", "contract_ref"),
        ("/portal/offers", "award_ref"),
        ("/portal/bids", "bid_ref"),
    ):
        assert own[named] in owner.open(path).text


@SQLITE
def test_an_approver_decides_signs_and_pays_and_writes_nothing_else_of_the_council(served: Served) -> None:
    writes = {
        route.path
        for route in page_routes(served)
        if route.method == "POST" and (route.guards != (anyone,))
        if isinstance(route.guards[0], Seated) and route.is_for(Part.APPROVER)
    }

    assert {path for path in writes if path.startswith("/desk")} == {
        "/desk/awards/{award_ref:str}/approval",
        "/desk/awards/{award_ref:str}/overturn",
        "/desk/awards/{award_ref:str}/refusal-by-person",
        "/desk/contracts/{contract_ref:str}/outcomes/reviews",
        "/desk/interests",
        "/desk/people/{person_ref:str}/erasure",
        "/desk/placements/{placement_ref:str}/approval",
        "/desk/placements/{placement_ref:str}/refusal",
        "/desk/reviews/{review_ref:str}/settlement",
        "/desk/run-offs/{suspension_ref:str}",
        "/desk/statements/{statement_ref:str}/payment",
        "/desk/variations/{variation_ref:str}/refusal",
        "/desk/variations/{variation_ref:str}/signature",
    }


SENT = {
    "shown": "Is there a hoist?",
    "answer": "Yes, in the bedroom.",
    "once": "once",
    "price-weekday": "16.00",
    "starts_on": "2019-03-07",
    "answer-continuity": "up-to-3",
    "first_visit_on": "2019-03-07",
    "until": "2030-01-01T10:00",
    "how": "in_house",
    "price": "100.00",
    "refusal": "They said no.",
}
"""What makes every form complete, so that nothing but ownership can be what is refused."""


FIXED = {"section": "week", "step": "person", "scheme_key": "st-helens"}
"""Parts of an address that name no row: which page of a form it is."""


def filled(path: str, refs: dict[str, str]) -> str:
    """The path with these references, or with ones that nothing has."""
    parts = [
        refs.get(part[1:].partition(":")[0], FIXED.get(part[1:].partition(":")[0], "REF-0000-0000-0000"))
        if part.startswith("{")
        else part
        for part in path.split("/")
    ]
    return "/".join(parts)


def a_story(served: Served) -> dict[str, str]:
    """A package won and confirmed, and one that is open: the references, by the names that routes give them."""
    world = served.world
    winner = world.provider("Winner")
    placed = world.referral()
    receipt = world.bid(winner, placed, pence=1600)
    world.close(placed)
    award = world.award(placed)
    contract = world.accept_and_confirm(award, winner)
    live = world.referral()
    suspension = world.run(
        suspend,
        provider_id=world.row_of(winner).id or 0,
        scheme=world.scheme,
        scope=SuspensionScope.NEW_WORK,
        running_contracts=RunningContracts.TRANSFER,
        because="A visit by the regulator.",
        starts_at=world.now + timedelta(days=100),
        actor=world.officer,
    )
    assert winner.provider is not None
    provider_id = world.row_of(winner).id or 0
    application = world.run(
        draft,
        provider_id=provider_id,
        scheme=world.scheme,
        lots=[world.scheme.lots[0].key],
        localities=[world.scheme.localities[0].key],
        actor=winner,
    )
    document = world.run(
        receive_file, provider_id=provider_id, kind="insurance", content=b"%PDF-1.7", expires_on=None, actor=winner
    )
    own = {
        "application_ref": application.ref,
        "submitted_ref": handed_in(served, provider_id, winner.provider),
        "document_ref": document.ref,
        "question_ref": world.run(ask, round_ref=world.round(live).ref, words="Is there a hoist?", actor=winner),
        "provider": winner.provider,
        "provider_ref": winner.provider,
        "suspension_ref": suspension.ref,
        "referral_ref": placed,
        "award_ref": award.ref,
        "bid_ref": receipt["bid"],
        "contract_ref": contract,
        "block_ref": bought(served, provider_id),
        "arrangement_ref": supplying_together(served, winner.provider),
        "notice_ref": closing_stated(served, winner),
        "person_ref": person_of(served, placed),
        "round_ref": world.round(live).ref,
        "closing_ref": receipt["closing"],
    }
    return own | what_followed(served, own)


def bought(served: Served, provider_id: int) -> str:
    """A block of the winner's hours, under rules that buy them."""
    world = served.world
    lot, place = world.scheme.lots[0].key, world.scheme.localities[0].key
    return world.run(
        agree_block,
        scheme=world.scheme.model_copy(update={"blocks": Blocks(lots=(lot,))}),
        provider_id=provider_id,
        lot=lot,
        locality=place,
        weekly_minutes=420,
        weekly_pence=10_500,
        from_day=world.now.date(),
        actor=world.commissioner,
    ).ref


def supplying_together(served: Served, lead: str) -> str:
    """An arrangement under rules that allow one, of the winner with an agency that stands on no list."""
    world = served.world
    admission = world.scheme.admission.model_copy(update={"arrangements": ("lead",)})
    agency = world.run(register_provider, name="Agency", company_number=None, actor=world.officer)
    return world.run(
        arrange,
        scheme=world.scheme.model_copy(update={"admission": admission}),
        kind=ArrangementKind.LEAD,
        lead=lead,
        members={agency.ref: None},
        from_day=world.now.date(),
        actor=world.officer,
    ).ref


def closing_stated(served: Served, provider: Actor) -> str:
    """What the winner says of its location, and nobody has looked up."""
    world = served.world
    (location,) = world.rows(Location, Location.provider_id == world.row_of(provider).id)
    return world.run(state_closing, regulator_id=location.regulator_id, closed_on=world.now.date(), actor=provider).ref


def person_of(served: Served, referral: str) -> str:
    """Whose referral it is."""
    with served.world.database.reading() as session:
        query = select(Person.ref).join(Package, Package.person_id == Person.id)  # type: ignore[arg-type]
        query = query.join(Referral, Referral.package_id == Package.id)  # type: ignore[arg-type]
        return session.exec(query.where(Referral.ref == referral)).one()


def handed_in(served: Served, provider_id: int, provider: str) -> str:
    """An application that waits for its answer, as one handed in while the scheme was open would; its reference."""
    world = served.world
    ref = new_reference(Kind.APPLICATION, world.ports.entropy)
    with world.database.transaction() as session:
        session.add(
            Application(
                ref=ref,
                provider_id=provider_id,
                provider_ref=provider,
                scheme=world.scheme.key,
                state=ApplicationState.SUBMITTED,
                lots=[world.scheme.lots[0].key],
                localities=[place.key for place in world.scheme.localities[:2]],
                answers={},
                flags=[["staff-turnover", 34]],
                drafted_at=world.now,
                submitted_at=world.now,
                decide_by=world.now + timedelta(days=14),
            )
        )
    return ref


@SQLITE
def test_every_page_carries_the_headers_that_keep_a_browser_safe(served: Served) -> None:
    browser = seated(served, Part.BROKER)

    for answer in answers(browser):
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["referrer-policy"] == "same-origin"


def answers(browser: Browser) -> Iterator[Response]:
    """A page, a refusal, what no route answers, and a redirect."""
    for path in ("/account", "/proof", "/nowhere", "/sign-in", "/"):
        yield browser.client.get(path, follow_redirects=False)


@SQLITE
def test_pages_are_kept_by_nobody_and_what_is_built_is_kept_for_ever(served: Served) -> None:
    browser = seated(served, Part.BROKER)
    page = browser.open("/account")
    sheets = [part.split('"')[0] for part in page.text.split('href="')[1:] if part.startswith(("/assets/", "/theme/"))]

    built = [browser.open(path) for path in sheets]

    assert page.headers["cache-control"] == "no-store"
    assert len(built) == 4
    assert {one.headers["cache-control"] for one in built} == {"public, max-age=31536000, immutable"}
    assert browser.open("/assets/names.json").status_code == 404
    assert browser.open("/theme/red;}.css").status_code == 404


@SQLITE
def test_no_page_has_a_script_or_a_style_of_its_own(served: Served) -> None:
    browser = seated(served, Part.BROKER)

    for path in ("/account", "/rules", "/sign-in"):
        text = browser.open(path).text

        assert " style=" not in text
        assert "<style" not in text
        assert " onclick" not in text
        assert "<script>" not in text
