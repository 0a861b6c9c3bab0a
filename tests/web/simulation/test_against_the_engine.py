"""The simulation against the engine itself: one week of one council, the same market, played by both."""

from datetime import datetime
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from sqlmodel import col, select

from bidding.rounds import Invitation, Round
from dps.kernel.database import Database
from dps.kernel.settings import read_settings
from dps.register.providers import Provider
from dps.schemes.loader import preset
from web.demo.command import play
from web.demo.staging import prepare_database
from web.simulation.cases import Case
from web.simulation.course import Course
from web.simulation.ground import ground_of, market_of, playable

REFERRALS, PROVIDERS = 24, 15
BAND_THOUSANDTHS = 150
"""How far apart the two shares of people placed may lie: people's wishes are drawn differently."""

Opened = tuple[datetime, str, datetime | None, frozenset[str]]
"""When a first stage was asked, which, when it closes, and who was invited."""


class Watched(Course):
    """A course that notes each stage as it is asked."""

    def __init__(self, *given: object, **named: object) -> None:
        super().__init__(*given, **named)  # type: ignore[arg-type]
        self.first: dict[int, Opened] = {}

    def _open(self, case: Case, stage_no: int) -> bool:
        found = super()._open(case, stage_no)
        if case.cycle == 1 and stage_no == 0:
            one = case.round if found else None
            invited = frozenset(one.invited) if one else frozenset()
            self.first[case.number] = self.now, case.stages[0].key, one.closes_at if one else None, invited
        return found


def first_of(database: Database) -> list[Opened]:
    """The same of the engine's week, in the order in which people arrived; providers by their place in the register."""
    with database.reading() as session:
        numbers = {ref: f"P{number:03d}" for number, ref in enumerate(
            session.exec(select(Provider.ref).order_by(col(Provider.id))), start=1
        )}  # fmt: skip
        rounds = session.exec(
            select(Round).where(Round.cycle == 1, Round.stage_no == 0, Round.attempt == 1).order_by(col(Round.id))
        ).all()
        asked = {
            one.id: frozenset(
                numbers[ref] for ref in session.exec(select(Invitation.provider).where(Invitation.round_id == one.id))
            )
            for one in rounds
        }
        return [(one.opens_at, one.stage_key, one.closes_at, asked[one.id]) for one in rounds]


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("key", ["liverpool", "st-helens"])
def test_a_week_of_the_engine_asks_the_same_stages_of_the_same_providers_until_the_same_ends(
    tmp_path: Path, key: str
) -> None:
    scheme = playable(preset(key), weeks=1, referrals=REFERRALS, providers=PROVIDERS)
    settings = read_settings(
        demo=True,
        database_url=f"sqlite:///{tmp_path / 'demo.sqlite3'}",
        keys_dir=tmp_path / "keys",
        identities_dir=tmp_path / "identities",
        spool_dir=tmp_path / "spool",
    )
    database = prepare_database(settings.database_url)

    by_engine, _, _ = play(
        scheme, seed=7, scale=1, database=database, settings=settings, console=Console(file=StringIO())
    )
    course = Watched(scheme, market_of(scheme, ground_of(scheme), seed=7, weeks=1), seed=7, weeks=1)
    course.play(lambda _at, _count, _waiting: None)

    engine, simulated = first_of(database), [course.first[number] for number in sorted(course.first)]
    assert len(engine) == len(simulated) == REFERRALS
    for (opens_at, stage, closes_at, _), (begun, asked, ends, _) in zip(engine, simulated, strict=True):
        assert (opens_at, stage) == (begun, asked)
        # Somebody may be eligible in one of them alone, once hours have been taken.
        assert closes_at == ends or None in (closes_at, ends)
    # Until hours are reserved for the first time, at the first closing or the first ranked offer.
    untouched = min(closes_at or opens_at for opens_at, _, closes_at, invited in engine if invited)
    before = [place for place, (opens_at, *_) in enumerate(engine) if opens_at <= untouched]
    assert before
    assert [engine[place] for place in before] == [simulated[place] for place in before]

    placed = sum(bool(case.placements) for case in course.cases)
    assert by_engine["placed"] * 1000 // REFERRALS == pytest.approx(placed * 1000 // REFERRALS, abs=BAND_THOUSANDTHS)
    assert set(by_engine["stages"]) == set(course.tally.rounds)
