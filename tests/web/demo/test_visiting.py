"""What a visitor of the demonstration finds: packages to bid for, drafts to publish, an account for each part."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlmodel import select

from bidding.looking.invited import opportunities
from bidding.looking.queue import Place, counts, work_queue
from dps.kernel.actors import Actor
from dps.kernel.calendar import LONDON
from dps.kernel.database import Database
from dps.register.limits import LimitPart
from dps.register.rate_cards import rate_card_of
from tests.web.pages.browsing import Browser
from tests.web.served import ADMINISTRATOR, Served
from web.demo.market import Place as Home
from web.demo.market import draw
from web.demo.visiting import DRAFTS, PUBLISHED, Visitors, most_asked, next_morning, prepare
from web.security.accounts import Account, Part

SQLITE = pytest.mark.parametrize("database_kind", ["sqlite"])


@pytest.fixture
def knowsley(database: Database, tmp_path: Path) -> Iterator[Served]:
    with Served(database, tmp_path, "knowsley-sefton") as served:
        yield served


def visited(served: Served) -> tuple[Visitors, Actor]:
    """The world as a visitor finds it, and the provider that is the visitor's."""
    world = served.world
    provider = world.provider("Visited", hours=1)
    world.limit(provider, LimitPart(packages=0))
    lads = [lad for council in world.scheme.authorities for lad in council.lads]
    homes = {
        one.key: [Home(f"{world.sector(one.key)}AA", world.sector(one.key), one.key, lads[place % len(lads)])]
        for place, one in enumerate(world.scheme.localities)
    }
    centres = dict.fromkeys(homes, (0.0, 0.0))
    market = draw(world.scheme, homes, centres, seed=8)
    assert provider.provider is not None
    prepared = prepare(world.database, world.ports, world.scheme.key, market, provider.provider, ADMINISTRATOR)
    return prepared, provider


@SQLITE
def test_a_visitor_finds_packages_to_bid_for_drafts_to_publish_and_an_account_for_each_part(served: Served) -> None:
    prepared, provider = visited(served)

    with served.world.database.reading() as session:
        asked = opportunities(session, provider, served.world.now)
        waiting = counts(work_queue(session, served.world.broker, served.world.now))
        accounts = {account.part: account for account in session.exec(select(Account))}

    world, lot = served.world, asked[0].lot
    with world.database.reading() as session:
        row = world.row_of(provider)
        card = rate_card_of(session, world.ports, provider=row, scheme_key=world.scheme.key, lot=lot, actor=provider)

    assert len(asked) >= PUBLISHED // 2
    assert card is not None
    assert [price.pence for price in card.prices] == [1700]
    assert waiting[Place.PUBLISH] == DRAFTS
    assert set(prepared.emails) == set(accounts) == set(Part)
    assert Browser(served).sign_in(accounts[Part.PROVIDER_USER], prepared.password).url.path == "/portal"
    assert Browser(served).sign_in(accounts[Part.COMMISSIONER], prepared.password).url.path == "/office/report"


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_councils_that_share_a_scheme_share_the_visitor_s_people_and_have_accounts_of_their_own(
    knowsley: Served,
) -> None:
    prepared, _provider = visited(knowsley)

    (emails,) = prepared.others.values()
    assert list(prepared.others) == ["Sefton Council"]
    assert emails[Part.BROKER] == "broker-sefton@demonstration.example"
    assert Part.PROVIDER_USER not in emails
    with knowsley.world.database.reading() as session:
        accounts = session.exec(select(Account)).all()
        drafts = {
            council: counts(work_queue(session, world.broker, world.now))[Place.PUBLISH]
            for council in ("knowsley", "sefton")
            for world in [knowsley.world.acting_for(council)]
        }
    assert {one.authority for one in accounts if one.part is Part.BROKER} == {"knowsley", "sefton"}
    assert drafts == {"knowsley": DRAFTS // 2, "sefton": DRAFTS // 2}


@SQLITE
def test_the_provider_that_was_asked_most_often_is_the_visitor_s(served: Served) -> None:
    world = served.world
    everywhere = world.provider("Everywhere")
    somewhere = world.provider("Somewhere", localities=[world.scheme.localities[1].key])
    world.referral(locality=world.scheme.localities[0].key)

    with world.database.reading() as session:
        chosen = most_asked(session, [str(somewhere.provider), str(everywhere.provider)])

    assert chosen == everywhere.provider


@SQLITE
@pytest.mark.parametrize(
    ("now", "morning"),
    [
        (datetime(2019, 3, 4, 23, tzinfo=UTC), datetime(2019, 3, 5, 9, 30, tzinfo=LONDON)),
        (datetime(2019, 3, 8, 12, tzinfo=UTC), datetime(2019, 3, 11, 9, 30, tzinfo=LONDON)),
    ],
)
def test_the_visitor_comes_on_a_working_morning(served: Served, now: datetime, morning: datetime) -> None:
    assert next_morning(served.world.scheme, now) == morning
