"""Ten councils cost ten times one council: a larger demonstration is more of the same, not the same grown larger."""

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from sqlalchemy import event
from sqlmodel import col, select

from bidding.rounds import Invitation, Round
from dps.kernel.database import Database
from dps.kernel.settings import read_settings
from dps.register.membership import Membership
from dps.schemes.loader import preset
from web.demo.command import play
from web.demo.staging import prepare_database

REFERRALS, PROVIDERS = 12, 8


def played(folder: Path, scale: int) -> tuple[dict[str, Any], int, Database]:
    """A shortened week at this scale, how many statements it took, and the database that it left."""
    folder.mkdir()
    scheme = preset("liverpool")
    assert scheme.demo is not None
    short = scheme.model_copy(
        update={"demo": scheme.demo.model_copy(update={"referrals": REFERRALS, "providers": PROVIDERS})}
    )
    settings = read_settings(
        demo=True,
        database_url=f"sqlite:///{folder / 'demo.sqlite3'}",
        keys_dir=folder / "keys",
        identities_dir=folder / "identities",
        spool_dir=folder / "spool",
    )
    database = prepare_database(settings.database_url)
    asked = 0

    def count(*_: object) -> None:
        nonlocal asked
        asked += 1

    event.listen(database.engine, "before_cursor_execute", count)
    console = Console(file=StringIO())
    found, _, _ = play(short, seed=7, scale=scale, database=database, settings=settings, console=console)
    event.remove(database.engine, "before_cursor_execute", count)
    return found, asked, database


def done(found: dict[str, Any]) -> int:
    """How much happened: a small week of another market holds more or fewer rounds, bids and awards."""
    happened: int = found["rounds"] + found["bids"] + sum(found["awards"].values())
    return happened


@pytest.mark.slow
def test_what_happens_costs_the_same_at_twice_the_size_and_no_round_asks_another_council_s_providers(
    tmp_path: Path,
) -> None:
    one, for_one, _ = played(tmp_path / "one", 1)
    two, for_two, database = played(tmp_path / "two", 2)

    with database.reading() as session:
        asked = set(
            session.exec(
                select(Round.scheme, Invitation.provider).join(Invitation, col(Invitation.round_id) == Round.id)
            )
        )
        members = set(session.exec(select(Membership.scheme, Membership.provider_ref)))
    assert (one["referrals"], two["referrals"]) == (REFERRALS, 2 * REFERRALS)
    assert for_two / done(two) == pytest.approx(for_one / done(one), rel=0.1)
    assert two["audit_ok"]
    assert two["capacity_violations"] == two["double_awards"] == two["barred_awards"] == two["early_openings"] == 0
    assert {scheme for scheme, _ in asked} == {"liverpool", "liverpool-2"}
    assert asked <= members
