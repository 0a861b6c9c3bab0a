"""`dps import register FILE`: the newer register tried, then applied, all or nothing."""

import json
from pathlib import Path

from sqlmodel import select

from dps.kernel.database import Database
from dps.register.membership import Membership, MembershipState
from dps.register.providers import Location, Provider
from dps.schemes.loader import preset
from tests.web.served import dps

SCHEME = preset("st-helens")
HEAD = "name,location name,regulator_id,place,registered_on,rating,lists,lots,localities\n"
# The first list has one place in all.
HELD = f"{SCHEME.lists[1].key},{SCHEME.lots[0].key},{SCHEME.localities[0].key}"


def row(name: str, number: str, rating: str = "good") -> str:
    return f"{name},{name},{number},WA10 1,2015-06-14,{rating},{HELD}\n"


OLD = row("Ash", "1-1") + row("Beech", "1-2") + row("Cedar", "1-3")
NEW = row("Ash", "1-1", "requires improvement") + row("Beech", "1-2") + row("Dogwood", "1-4")


def register(folder: Path, text: str, *options: str) -> tuple[int, dict[str, list[str]], str]:
    file = folder / "register.csv"
    file.write_text(HEAD + text, encoding="utf-8")
    done = dps("import", "register", str(file), "--scheme", "st-helens", "--json", *options)
    answer = json.loads(done.stdout) if done.stdout.startswith("{") else {}
    return done.exit_code, answer, done.output


def on_scheme(database_url: str) -> dict[str, str]:
    """Providers that hold a place, each with its location's rating."""
    database = Database(database_url)
    with database.reading() as session:
        query = (
            select(Provider.name, Location.rating)
            .join(Membership, Membership.provider_id == Provider.id)  # type: ignore[arg-type]
            .join(Location, Location.provider_id == Provider.id)  # type: ignore[arg-type]
            .where(Membership.state != MembershipState.REMOVED)
        )
        found = {name: str(rating) for name, rating in session.exec(query)}
    database.dispose()
    return found


def test_who_joined_left_and_was_rated_anew_is_tried_first_and_then_applied(installed: Path, database_url: str) -> None:
    assert register(installed, OLD, "--write")[0] == 0
    before = on_scheme(database_url)

    _, tried, _ = register(installed, NEW)
    after_trial = on_scheme(database_url)
    _, applied, _ = register(installed, NEW, "--write")

    assert before == after_trial == {"Ash": "good", "Beech": "good", "Cedar": "good"}
    for answer in (tried, applied):
        counts = {name: len(answer[name]) for name in ("joined", "left", "closed", "rerated", "faults")}
        assert counts == {"joined": 1, "left": 1, "closed": 0, "rerated": 1, "faults": 0}
    assert on_scheme(database_url) == {"Ash": "requires_improvement", "Beech": "good", "Dogwood": "good"}


def test_a_file_that_leaves_out_most_of_the_register_is_refused(installed: Path, database_url: str) -> None:
    register(installed, OLD, "--write")

    code, _, words = register(installed, row("Ash", "1-1"), "--write")

    assert (code, "is this the whole register?" in words) == (2, True)
    assert len(on_scheme(database_url)) == 3


def test_a_faulty_cell_keeps_all_of_it_out(installed: Path, database_url: str) -> None:
    register(installed, OLD, "--write")

    code, answer, _ = register(installed, OLD.replace("2015-06-14", "yesterday", 1), "--write")

    assert code == 2
    assert not answer["written"]
    assert len(answer["faults"]) == 1
    assert len(on_scheme(database_url)) == 3
