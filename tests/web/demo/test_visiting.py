"""What a visitor of the demonstration finds: packages to bid for, drafts to publish, an account for each part."""

from datetime import UTC, datetime

import pytest
from sqlmodel import select

from bidding.looking.invited import opportunities
from bidding.looking.queue import Place, counts, work_queue
from dps.kernel.actors import Actor
from dps.kernel.calendar import LONDON
from tests.web.pages.browsing import Browser
from tests.web.served import ADMINISTRATOR, Served
from web.demo.market import Place as Home
from web.demo.market import draw
from web.demo.visiting import DRAFTS, PUBLISHED, Visitors, most_asked, next_morning, prepare
from web.security.accounts import Account, Part

SQLITE = pytest.mark.parametrize("database_kind", ["sqlite"])


def visited(served: Served) -> tuple[Visitors, Actor]:
    """The world as a visitor finds it, and the provider that is the visitor's."""
    world = served.world
    provider = world.provider("Visited", hours=1)
    homes = {
        locality.key: [Home(f"{world.sector(locality.key)}AA", world.sector(locality.key), locality.key, None)]
        for locality in world.scheme.localities
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

    assert len(asked) > PUBLISHED // 2
    assert waiting[Place.PUBLISH] == DRAFTS
    assert set(prepared.emails) == set(accounts) == set(Part)
    assert Browser(served).sign_in(accounts[Part.PROVIDER_USER], prepared.password).url.path == "/portal"
    assert Browser(served).sign_in(accounts[Part.COMMISSIONER], prepared.password).url.path == "/office/report"


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
