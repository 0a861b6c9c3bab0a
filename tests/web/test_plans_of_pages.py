"""The pages and sweeps that are asked all day cost what is open, not what there ever was.

A council's year stands in the database, all of it over but a handful of packages. No hot page may read a large table
from end to end, and none may send more statements because more is shown.
"""

from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from dps.kernel.actors import Role
from dps.kernel.database import Database
from dps.schemes.model import Urgency
from tests.support.filling import Past
from tests.support.plans import plans_while, statements_while, whole_tables_read
from tests.web.pages.browsing import Browser, an_account
from tests.web.served import Served
from web.security.accounts import Part
from web.sending.sorting import Sorter

pytestmark = pytest.mark.slow

COPIES = 400
ON_POSTGRESQL = 3_000
"""It reads whatever is small from end to end, and rightly: what is large has to be large."""


class Filled:
    """A council with a year behind it and a few packages open; its hot pages by name."""

    def __init__(self, database: Database, folder: Path, copies: int) -> None:
        self.served = Served(database, folder)
        world = self.world = self.served.world
        self.oak = world.provider("Synthetic Oak", hours=10_000)
        world.timetable.postman = Sorter(world.ports.entropy, spool=world.postman)
        self._live()
        world.timetable.carry_messages()
        world.timetable.sign_checkpoint()
        # On SQLite every list of one provider's own past is longer than a page, so that no page grows with it any more.
        self.past = Past(database, holders=3 if database.is_sqlite else 200)
        self.past.copy(copies)
        self.open_some(3)
        self.give_keys()

    def give_keys(self) -> None:
        """New keys to the programs: one is in force for thirty days."""
        caller = self.served.caller
        self.system = caller(Role.PROVIDER, provider=self.oak.provider)
        self.office = caller(Role.BROKER)

    def _live(self) -> None:
        """One package served, one that nobody took and that was withdrawn."""
        world = self.world
        referral = world.referral(urgency=Urgency.CRISIS)
        world.bid(self.oak, referral, pence=1600)
        world.close(referral)
        world.accept_and_confirm(world.award(referral), self.oak)

    def open_some(self, number: int) -> None:
        """So many packages more: asked, offered, and waiting to be published, of each."""
        world = self.world
        for _ in range(number):
            offered = world.referral(urgency=Urgency.CRISIS)
            world.bid(self.oak, offered, pence=1600)
            world.close(offered)
            world.referral(urgency=Urgency.DISCHARGE)
            world.referral(publish_it=False)

    def sign_in(self) -> None:
        """Once the council is served."""
        self.broker, self.provider = Browser(self.served), Browser(self.served)
        self.broker.sign_in(an_account(self.served, Part.BROKER))
        self.provider.sign_in(an_account(self.served, Part.PROVIDER_ADMIN, provider=self.oak.provider))

    @property
    def hot(self) -> dict[str, Callable[[], Any]]:
        return {
            "the work queue": lambda: self._page(self.broker, "/desk"),
            "the provider's home": lambda: self._page(self.provider, "/portal"),
            "opportunities": lambda: self._page(self.provider, "/portal/opportunities"),
            "offers": lambda: self._page(self.provider, "/portal/offers"),
            "opportunities by program": lambda: self._got(self.system, "/api/opportunities"),
            "awards by program": lambda: self._got(self.system, "/api/awards"),
            "the feed of changes": lambda: self._got(self.system, "/api/changes"),
            "referrals by program": lambda: self._got(self.office, "/api/referrals"),
            "a sweep that finds nothing": self.world.timetable.sweep,
            "a carrying that finds nothing": self.world.timetable.carry_messages,
            "a checkpoint": self.world.timetable.sign_checkpoint,
        }

    def _page(self, browser: Browser, path: str) -> None:
        assert browser.open(path).status_code == 200, path

    def _got(self, caller: Any, path: str) -> None:
        assert caller.get(path).status_code == 200, path


@pytest.fixture
def filled(database: Database, tmp_path: Path) -> Iterator[Filled]:
    made = Filled(database, tmp_path, COPIES if database.is_sqlite else ON_POSTGRESQL)
    with made.served:
        made.sign_in()
        yield made


@pytest.fixture
def young(database: Database, tmp_path: Path) -> Iterator[Filled]:
    """A council with next to nothing behind it."""
    made = Filled(database, tmp_path, 1)
    with made.served:
        made.sign_in()
        yield made


def test_no_hot_page_reads_a_large_table_from_end_to_end(filled: Filled) -> None:
    database = filled.world.database
    filled.world.timetable.sweep()
    found, large = [], filled.past.tables
    for name, act in filled.hot.items():
        for statement, plan in plans_while(database, act):
            named = {alias for alias in whole_tables_read(plan) if _is_one_of(large, alias, statement)}
            if named:
                found.append(f"{name} reads all of {', '.join(sorted(named))}:\n{statement}\n{plan}")

    assert found == [], "\n\n".join(found)


def _is_one_of(tables: Collection[str], alias: str, statement: str) -> bool:
    """Whether a name in a plan is one of these tables, or one that the statement gave it (`award AS award_1`)."""
    return any(alias == table or f"{table} AS {alias}" in statement for table in tables)


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_no_hot_page_works_harder_because_more_is_over(filled: Filled) -> None:
    """An index that leads to everything that ever was is no scan, and as slow: so SQLite's own steps are counted."""
    filled.world.timetable.sweep()

    def worked() -> dict[str, int]:
        return {name: steps(filled.world.database, act) for name, act in filled.hot.items()}

    before = worked()
    filled.past.copy(5 * COPIES)
    after = worked()

    assert {name: (before[name], after[name]) for name in before if after[name] > 1.3 * before[name] + 20} == {}


def steps(database: Database, act: Callable[[], Any]) -> int:
    """How many hundreds of steps SQLite takes for what `act` asks."""
    taken = 0

    def step() -> int:
        nonlocal taken
        taken += 1
        return 0

    def tell(connection: Any, *_: Any) -> None:
        connection.set_progress_handler(step, 100)

    act()
    database.engine.dispose()
    event.listen(database.engine, "connect", tell)
    try:
        act()
    finally:
        event.remove(database.engine, "connect", tell)
        database.engine.dispose()
    return taken


def test_no_hot_page_sends_more_statements_because_more_is_shown(young: Filled) -> None:
    young.world.timetable.sweep()
    sent: dict[str, list[int]] = {name: [] for name in young.hot}
    for more in (0, 3):
        young.open_some(more)
        young.world.timetable.sweep()
        young.world.timetable.carry_messages()
        young.world.timetable.sign_checkpoint()
        young.world.step(seconds=1)
        for name, act in young.hot.items():
            sent[name].append(statements_while(young.world.database, act))

    assert {name: counts for name, counts in sent.items() if counts[0] != counts[1]} == {}
