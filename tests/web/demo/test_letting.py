"""A demonstration lets whole areas where its rules do: one in each way of bidding, paid at what was bid."""

from datetime import timedelta
from pathlib import Path

from bidding.bids.records import Bid, BidState
from bidding.tenders.records import Tender, TenderState
from dps.contracts.area_contracts import AreaContractRow
from dps.contracts.statements.records import Statement, StatementState
from dps.kernel.database import Database
from dps.register.providers import Provider
from tests.scenarios.serving import on_sqlite
from tests.support.world import World
from web.demo.letting import Letting
from web.demo.staging import renew_papers
from web.demo.visiting import next_morning


@on_sqlite
def test_each_way_of_bidding_is_played_to_a_paid_statement(database: Database, tmp_path: Path) -> None:
    world = World(database, tmp_path, "kingston")
    for number in range(3):
        world.provider(f"Synthetic Provider {number}", lists=["approved"])
    letting = Letting(world.database, world.ports, world.clock, world.scheme, seed=7)

    letting.let(world.timetable.sweep)
    letting.pay()

    assert {row.key for row in world.rows(AreaContractRow)} == {"outcomes", "rate-card", "two-rates"}
    assert {tender.state for tender in world.rows(Tender)} == {TenderState.AWARDED}
    assert [bid.state for bid in world.rows(Bid)].count(BidState.AWARDED) == 3
    assert len(world.rows(Bid)) == 9
    statements = world.rows(Statement)
    assert {statement.state for statement in statements} == {StatementState.PAID}
    assert sorted(str(one.area_contract) for one in statements) == sorted(
        row.ref for row in world.rows(AreaContractRow)
    )
    assert world.faults() == []

    visitor = str(world.provider("Visitor", lists=["approved"]).provider)
    with world.database.transaction() as session:
        renew_papers(session, world.ports, world.scheme, [row.ref for row in world.rows(Provider)], world.now)
    closes_at = letting.leave_open(visitor)

    left = world.rows(Tender, Tender.state == TenderState.PUBLISHED)
    assert {(one.key, one.locality) for one in left} == {
        ("outcomes", "kingston-town"), ("rate-card", "surbiton"), ("two-rates", "chessington"),
    }  # fmt: skip
    bids = world.rows(Bid, Bid.state == BidState.SEALED)
    assert len(bids) == 9
    assert visitor not in {bid.provider for bid in bids}
    assert closes_at is not None
    assert timedelta(hours=24) < closes_at - next_morning(world.scheme, world.clock.instant) < timedelta(days=5)


@on_sqlite
def test_where_no_area_is_let_nothing_is_left_open(database: Database, tmp_path: Path) -> None:
    world = World(database, tmp_path, "wirral")

    assert Letting(world.database, world.ports, world.clock, world.scheme, seed=7).leave_open("PRV-1") is None
