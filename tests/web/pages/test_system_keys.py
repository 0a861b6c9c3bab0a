"""Whoever looks after accounts makes API keys for their own systems, and takes them back; nobody else's."""

import re
from typing import Any

import pytest
from sqlmodel import select

from tests.web.pages.browsing import Browser
from tests.web.pages.test_page_guards import seated
from tests.web.served import Served
from web.security.accounts import Part
from web.security.api_keys import ApiKey

SQLITE = pytest.mark.parametrize("database_kind", ["sqlite"])


def at_keys(served: Served, part: Part, **whose: str | None) -> Browser:
    browser = seated(served, part, **whose)
    browser.open("/accounts/keys")
    return browser


def key_in(text: str) -> str:
    found = re.search(r"dps_[\w-]{43}", text)
    assert found is not None
    return found[0]


def asked(served: Served, key: str) -> dict[str, Any]:
    answer = served.client.get("/api/me", headers={"Authorization": f"Bearer {key}"})
    return {"status": answer.status_code, **(answer.json() if answer.status_code == 200 else {})}


def test_a_provider_s_key_acts_for_that_provider_until_it_is_taken_back(served: Served) -> None:
    oak = served.world.provider("Synthetic Oak")
    browser = at_keys(served, Part.PROVIDER_ADMIN, provider=oak.provider)

    shown = browser.send("/accounts/keys", label="night rota", days="30")
    key = key_in(shown.text)
    listed = browser.open("/accounts/keys").text
    before = asked(served, key)
    browser.send("/accounts/keys/revocation")

    assert (before["status"], before["role"], before["provider"]) == (200, "provider", oak.provider)
    assert "night rota" in listed
    assert key not in listed
    assert asked(served, key)["status"] == 401
    assert "Taken back on" in browser.open("/accounts/keys").text
    assert served.world.faults() == []


@SQLITE
def test_a_council_s_key_acts_in_one_part_and_never_looks_after_accounts(served: Served) -> None:
    browser = at_keys(served, Part.ADMINISTRATOR, authority=served.world.authority)

    key = key_in(browser.send("/accounts/keys", label="case management", role="broker", days="365").text)
    browser.open("/accounts/keys")
    browser.open("/accounts/keys")
    # A key has nobody behind it: it can be no second person.
    deciding = [
        browser.send("/accounts/keys", label="decides", role=role, days="365").status_code
        for role in ("approver", "commissioner", "register_officer")
    ]
    browser.open("/accounts/keys")
    refused = browser.send("/accounts/keys", label="all of it", role="administrator", days="365")

    found = asked(served, key)
    assert (found["role"], found["authority"]) == ("broker", served.world.authority)
    assert deciding == [400, 400, 400]
    assert refused.status_code == 400
    assert "Choose what the system does" in refused.text
    assert 'value="all of it"' in refused.text


@SQLITE
@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"label": "", "days": "30"}, "Say in 1 to 80 characters"),
        ({"label": "night rota", "days": "ten"}, "Give the days as a whole number"),
        ({"label": "night rota", "days": ""}, "A key is in force for 1 to 366 days"),
        ({"label": "night rota", "days": "367"}, "A key is in force for 1 to 366 days"),
    ],
)
def test_what_is_wrong_with_a_key_is_said_and_nothing_typed_is_lost(
    served: Served, typed: dict[str, str], words: str
) -> None:
    oak = served.world.provider("Synthetic Oak")
    browser = at_keys(served, Part.PROVIDER_ADMIN, provider=oak.provider)

    page = browser.send("/accounts/keys", **typed)

    assert page.status_code == 400
    assert words in page.text
    assert browser.form("/accounts/keys")["days"] == typed["days"]
    assert served.world.rows(ApiKey) == []


@SQLITE
def test_another_s_key_is_neither_seen_nor_taken_back(served: Served) -> None:
    oak, elm = served.world.provider("Synthetic Oak"), served.world.provider("Synthetic Elm")
    owner = at_keys(served, Part.PROVIDER_ADMIN, provider=oak.provider)
    key = key_in(owner.send("/accounts/keys", label="night rota", days="30").text)
    with served.world.database.reading() as session:
        name = session.exec(select(ApiKey.name)).one()

    for part, whose in (
        (Part.PROVIDER_ADMIN, {"provider": elm.provider}),
        (Part.ADMINISTRATOR, {"authority": served.world.authority}),
    ):
        stranger = at_keys(served, part, **whose)
        stranger.send("/accounts/keys", label="own", role="broker" if "authority" in whose else "provider", days="30")
        seen = stranger.open("/accounts/keys")
        refused = stranger.send("/accounts/keys/revocation", name=name)

        assert "night rota" not in seen.text
        assert refused.status_code == 404
    assert asked(served, key)["status"] == 200


@SQLITE
def test_who_is_closed_takes_the_keys_along_that_it_made(served: Served) -> None:
    oak = served.world.provider("Synthetic Oak")
    leaver = at_keys(served, Part.PROVIDER_ADMIN, provider=oak.provider)
    key = key_in(leaver.send("/accounts/keys", label="night rota", days="30").text)
    with served.world.database.reading() as session:
        made_by = session.exec(select(ApiKey.created_by)).one()
    colleague = at_keys(served, Part.PROVIDER_ADMIN, provider=oak.provider)
    assert asked(served, key)["status"] == 200

    colleague.open(f"/accounts/{made_by}")
    colleague.client.post(f"/accounts/{made_by}/closure", data={"csrf": colleague.csrf})  # type: ignore[attr-defined]

    assert asked(served, key)["status"] == 401
    assert served.world.faults() == []
