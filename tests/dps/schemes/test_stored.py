"""Published rules: kept once under their hash, readable for ever, never altered unnoticed."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import func
from sqlmodel import col, select, update

from dps.kernel import ending
from dps.kernel.actors import Actor, Role
from dps.kernel.audit import AuditEvent
from dps.kernel.database import Database
from dps.kernel.errors import Corrupted, Forbidden, NotFound, OutOfTerm
from dps.schemes import stored
from dps.schemes.loader import preset, rule_hash
from dps.schemes.stored import SchemeRules, publish_rules, rules_by_hash

NOON = datetime(2019, 6, 3, 11, tzinfo=UTC)
LATER = datetime(2019, 6, 4, 11, tzinfo=UTC)
LAST_INSTANT = datetime(2022, 9, 30, 22, 59, 59, tzinfo=UTC)
ENDED = datetime(2022, 9, 30, 23, tzinfo=UTC)
COMMISSIONER = Actor(ref="USR-1", role=Role.COMMISSIONER, authority="liverpool")
LIVERPOOL = preset("liverpool")


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test reads from its own database first."""
    monkeypatch.setattr(stored, "_kept", {})


def test_published_rules_are_read_back_by_their_hash(database: Database) -> None:
    with database.transaction() as session:
        row = publish_rules(session, LIVERPOOL, COMMISSIONER, NOON)

    with database.reading() as session:
        scheme = rules_by_hash(session, row.rule_hash)

    assert row.rule_hash == rule_hash(LIVERPOOL)
    assert scheme == LIVERPOOL.model_copy(update={"demo": None})


def test_the_same_rules_are_published_once(database: Database) -> None:
    with database.transaction() as session:
        first = publish_rules(session, LIVERPOOL, COMMISSIONER, NOON)

    with database.transaction() as session:
        second = publish_rules(session, LIVERPOOL, Actor(ref="USR-2", role=Role.ADMINISTRATOR), LATER)
        ending.write(session)
        events = session.exec(select(AuditEvent)).all()
        rows = session.exec(select(func.count()).select_from(SchemeRules)).one()

    assert (second.id, second.published_at, second.published_by) == (first.id, NOON, "USR-1")
    assert rows == 1
    assert [(event.stream, event.kind, event.body) for event in events] == [
        ("scheme:liverpool", "scheme.rules_published", {"rule_hash": first.rule_hash})
    ]


def test_rules_that_somebody_else_has_just_published_stand(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    with database.transaction() as session:
        theirs = publish_rules(session, LIVERPOOL, COMMISSIONER, NOON)
    look, seen = stored._row, iter([None])
    monkeypatch.setattr(stored, "_row", lambda session, digest: next(seen, look(session, digest)))

    with database.transaction() as session:
        row = publish_rules(session, LIVERPOOL, Actor(ref="USR-2", role=Role.ADMINISTRATOR), LATER)
        events = session.exec(select(func.count()).select_from(AuditEvent)).one()

    assert (row.id, events) == (theirs.id, 1)


def test_a_new_version_stands_beside_the_old_one(database: Database) -> None:
    changed = LIVERPOOL.model_copy(update={"name": "Liverpool from 2020"})

    with database.transaction() as session:
        publish_rules(session, LIVERPOOL, COMMISSIONER, NOON)
        publish_rules(session, changed, COMMISSIONER, LATER)

    with database.reading() as session:
        assert rules_by_hash(session, rule_hash(LIVERPOOL)).name == LIVERPOOL.name
        assert rules_by_hash(session, rule_hash(changed)).name == "Liverpool from 2020"


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.COMMISSIONER, Role.ADMINISTRATOR}))
def test_nobody_else_publishes_rules(database: Database, role: Role) -> None:
    with database.transaction() as session, pytest.raises(Forbidden):
        publish_rules(session, LIVERPOOL, Actor(ref="USR-3", role=role), NOON)


def test_rules_are_published_up_to_the_last_instant_of_the_term_and_not_after(database: Database) -> None:
    with database.transaction() as session:
        publish_rules(session, LIVERPOOL, COMMISSIONER, LAST_INSTANT)

    with database.transaction() as session, pytest.raises(OutOfTerm):
        publish_rules(session, LIVERPOOL.model_copy(update={"name": "Too late"}), COMMISSIONER, ENDED)


def test_an_unknown_hash_is_not_found(database: Database) -> None:
    with database.reading() as session, pytest.raises(NotFound):
        rules_by_hash(session, "0" * 64)


def test_altered_rules_are_not_taken_for_the_published_ones(database: Database) -> None:
    with database.transaction() as session:
        row = publish_rules(session, LIVERPOOL, COMMISSIONER, NOON)
    with database.transaction() as session:
        other = row.text.replace('"window":"5h"', '"window":"1h"')
        session.exec(update(SchemeRules).where(col(SchemeRules.id) == row.id).values(text=other))

    with database.reading() as session, pytest.raises(Corrupted):
        rules_by_hash(session, row.rule_hash)
