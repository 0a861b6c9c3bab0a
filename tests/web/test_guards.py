"""Every route that programs call names its guard, and the guards bite (law 9); for pages see tests/web/pages."""

from datetime import timedelta

import pytest
from litestar.routes import HTTPRoute

from dps.kernel.actors import Role
from tests.web.served import ADMINISTRATOR, Served
from web.api.guards import Only, anyone
from web.security.api_keys import revoke

PUBLIC = {"/health", "/api/schemes", "/api/schemes/{key:str}", "/api/schemes/{key:str}/rulebook"}
READ = "GET"


def routes(served: Served) -> list[tuple[str, str, list[object]]]:
    """(path, method, guards) of every route for programs, but those that Litestar answers OPTIONS and HEAD on."""
    return [
        (route.path, method, [getattr(guard, "func", guard) for guard in handler.resolve_guards()])
        for route in served.app.routes
        if isinstance(route, HTTPRoute) and route.path.startswith(("/api", "/health", "/metrics"))
        for handler in route.route_handlers
        for method in sorted(handler.http_methods & {"GET", "POST", "PUT", "PATCH", "DELETE"})
    ]


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_every_route_names_exactly_one_guard(served: Served) -> None:
    unguarded = [
        (path, method)
        for path, method, guards in routes(served)
        if len(guards) != 1 or not (guards[0] is anyone or isinstance(guards[0], Only))
    ]

    assert len(routes(served)) > 30
    assert unguarded == []


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_only_what_is_public_is_open_to_everybody(served: Served) -> None:
    open_to_all = {path for path, _, guards in routes(served) if guards == [anyone]}

    assert {path for path in open_to_all if not path.startswith("/api/docs")} == PUBLIC


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_nobody_without_a_key_gets_past_a_guard(served: Served) -> None:
    for path, method, guards in routes(served):
        if guards != [anyone]:
            answer = served.client.request(method, filled(path), headers={"Idempotency-Key": "x"}, json={})

            assert (path, answer.status_code, answer.json()["code"]) == (path, 401, "not_signed_in")
            assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_every_role_is_kept_out_of_every_route_that_is_not_its_own(served: Served) -> None:
    callers = {
        role: served.provider() if role is Role.PROVIDER else served.caller(role)
        for role in Role
        if role is not Role.CLOCK
    }
    let_in: set[tuple[str, str, Role]] = set()
    for path, method, guards in routes(served):
        for role, caller in callers.items():
            answer = caller.get(filled(path)) if method == READ else caller.post(filled(path), {})
            is_kept_out = answer.status_code == 403 and answer.json()["code"] == "forbidden"
            is_for_it = guards == [anyone] or role in guards[0].roles  # type: ignore[attr-defined]

            assert is_kept_out is not is_for_it, (path, method, role, answer.text)
            if is_for_it:
                let_in.add((path, method, role))

    assert ("/api/bids", "POST", Role.PROVIDER) in let_in
    assert ("/api/bids", "POST", Role.BROKER) not in let_in


def filled(path: str) -> str:
    """The path with references that nothing has."""
    parts = ["REF-0000-0000-0000" if part.startswith("{") else part for part in path.split("/")]
    return "/".join(parts)


def test_a_key_is_in_force_until_its_end_and_not_a_moment_longer(served: Served) -> None:
    caller = served.caller(Role.BROKER, days=1)
    end = served.world.now + timedelta(days=1)

    served.world.clock.move_to(end - timedelta(microseconds=1))
    before = caller.get("/api/me").status_code
    served.world.clock.move_to(end)
    after = caller.get("/api/me").status_code

    assert (before, after) == (200, 401)


def test_a_revoked_key_is_no_key(served: Served) -> None:
    caller = served.caller(Role.BROKER)
    name = _name_of(served)

    with served.world.database.transaction() as session:
        revoke(session, name=name, by=ADMINISTRATOR, now=served.world.now)
        revoke(session, name=name, by=ADMINISTRATOR, now=served.world.now)

    assert caller.get("/api/me").status_code == 401


@pytest.mark.parametrize("database_kind", ["sqlite"])
@pytest.mark.parametrize(
    "sent", ["", "Bearer", "Bearer ", "Bearer dps_", "Basic dXNlcjpw", "Bearer " + "dps_" + "x" * 5000]
)
def test_what_is_no_key_is_refused_in_the_same_words(served: Served, sent: str) -> None:
    answer = served.client.get("/api/me", headers={"Authorization": sent})

    assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_the_key_itself_is_stored_nowhere(served: Served) -> None:
    key = served.broker().key
    assert key is not None

    with served.world.database.engine.connect() as connection:
        dump = "\n".join(connection.connection.driver_connection.iterdump())  # type: ignore[union-attr]

    assert key not in dump
    assert key.removeprefix("dps_") not in dump


def _name_of(served: Served) -> str:
    from web.security.api_keys import every_key

    with served.world.database.reading() as session:
        return every_key(session)[0].name
