"""The server goes, connections are cut, mail is away, the clock steps while the clocks change, a full disk (line 9)."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text

from bidding.bids.records import Bid
from dps.kernel.database import Database
from tests.faults import storm
from tests.faults.fleet import Threads
from tests.faults.instants import SPRING
from tests.faults.server import Server
from tests.faults.storm import Storm
from tests.support.schema import create_tables
from tests.web.served import Served

pytestmark = [pytest.mark.slow, pytest.mark.database, pytest.mark.timeout(600)]


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as started:
        yield started


@pytest.mark.postgresql
def test_nothing_acknowledged_is_lost_while_the_server_restarts_and_all_else_breaks(
    server: Server, tmp_path: Path
) -> None:
    database = Database(server.create("storm"))
    create_tables(database)

    def restart(_fleet: Any, _chance: Any) -> str:
        server.restart()
        return "restarts"

    def cut(_fleet: Any, _chance: Any) -> str:
        server.cut_connections()
        return "connections cut"

    with ExitStack() as ends:
        ends.callback(database.dispose)
        council = ends.enter_context(Served(database, tmp_path))
        other = Database(database.url.render_as_string(hide_password=False))
        ends.callback(other.dispose)
        clients = [council.client, ends.enter_context(council.beside(other))]
        world = council.world
        blown = Storm(world, tmp_path, lambda mail: Threads(clients, world, mail), seed=9, night=SPRING)

        breakages = [restart, cut, storm.mail_away(0.3, 1.5), storm.clock_steps(world)]
        found = blown.blow(5.0, breakages, every=(0.5, 1.5))

    assert found.faults == []
    assert int(found.counted.get("bid acknowledged", 0)) > 0


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_a_full_disk_is_said_and_gives_no_false_receipt(database: Database, tmp_path: Path) -> None:
    with Served(database, tmp_path) as council:
        provider, referral = council.provider("Synthetic Oak"), council.world.referral()
        body = council.bid_body(referral, 1650)

        with full(database):
            refused = provider.post("/api/bids", body, key="the same")

        assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
        assert "same Idempotency-Key" in refused.json()["detail"]
        assert council.world.rows(Bid) == []

        taken = provider.post("/api/bids", body, key="the same")

        assert taken.status_code == 201
        assert [bid.ref for bid in council.world.rows(Bid)] == [taken.json()["bid"]]
        assert council.world.faults() == []


@contextmanager
def full(database: Database) -> Iterator[None]:
    """The file can't grow by a page: SQLite then says what it says of a full disk."""
    with database.transaction() as session:
        pages = session.execute(text("PRAGMA page_count")).scalar_one()

    def tell(connection: Any, _record: Any) -> None:
        connection.execute(f"PRAGMA max_page_count={pages}")

    event.listen(database.engine, "connect", tell)
    database.engine.dispose()
    yield
    event.remove(database.engine, "connect", tell)
    database.engine.dispose()
