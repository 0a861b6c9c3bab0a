"""Erasure: destroy the person's key and all that it sealed (law 7). What remains names nobody, and the trail verifies.

What was asked for (week, needs, sector) stays, as do references: they are the council's record of what it bought.
A database keeps deleted bytes for a while; `scrub` clears them from the files. Copies in backups and in a database's
own archive of its log live until those are rotated.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import or_, update
from sqlmodel import Session, col, select

from dps.contracts.contracts import IN_FORCE, Contract
from dps.kernel import audit
from dps.kernel.actors import Actor, Role
from dps.kernel.calendar import LONDON
from dps.kernel.database import Database, locked, locked_one
from dps.kernel.errors import PersonErased, StillServed, StillSought
from dps.packages.exclusions import ProviderExclusion
from dps.packages.packages import Package, PackageVersion
from dps.packages.persons import Person
from dps.packages.remarks import Remark

ERASING = (Role.APPROVER, Role.ADMINISTRATOR, Role.CLOCK)

_WAIT_FOR_LOOKS_MS = 500

_TABLES = (Person, Package, PackageVersion, ProviderExclusion, Remark)


class ErasureReason(StrEnum):
    """Why a person is erased."""

    RETENTION_ENDED = "retention_ended"
    PERSONS_REQUEST = "persons_request"
    REGISTERED_IN_ERROR = "registered_in_error"


def erase(
    session: Session,
    person: Person,
    *,
    reason: ErasureReason,
    actor: Actor,
    now: datetime,
    still_sought: Callable[[Session, Sequence[int]], str | None],
) -> None:
    """Destroy the key, the identity and every sealed text of this person, for good. Afterwards `scrub` the files.

    StillServed while a contract for one of the person's packages is in force or its last day is still to come;
    StillSought while `still_sought` names a referral that is open for one of these package ids (the competition's own,
    `bidding.erasing`).
    """
    actor.needs("erase a person", *ERASING)
    actor.sees("person", person.ref, authority=person.authority)
    current = locked_one(session, Person, person.id)
    if current.erased_at is not None:
        raise PersonErased(ref=current.ref)
    found = session.exec(select(Package.id).where(Package.person_id == current.id).order_by(col(Package.id))).all()
    package_ids = [id_ for id_ in found if id_ is not None]
    packages = locked(session, Package, *package_ids)
    # In this order: a contract that is handed back opens its referral again in the same transaction.
    _refuse_while_served(session, current, package_ids, now.astimezone(LONDON).date())
    referral = still_sought(session, package_ids)
    if referral is not None:
        raise StillSought(ref=current.ref, referral=referral)
    for package in packages:
        package.free_text, package.confidential, package.free_text_given = None, None, []
        session.add(package)
    _blank(session, PackageVersion, col(PackageVersion.package_id).in_(package_ids), "free_text", "confidential")
    _blank(session, Remark, col(Remark.package_id).in_(package_ids), "words")
    _blank(session, ProviderExclusion, col(ProviderExclusion.person_id) == current.id, "reason")
    current.wrapped_key, current.identity, current.nhs_fingerprint = None, None, None
    current.identity_given, current.erased_at = [], now
    session.add(current)
    session.flush()
    audit.append(session, current.stream, "person.erased", actor, now, {"ref": current.ref, "reason": reason})


def scrub_due(database: Database, now: Callable[[Session], datetime]) -> bool:
    """Clear the files of everybody who was erased since the last time; False if the log could not be cut yet.

    Rows say who is due, so that a worker that dies leaves it to the next one; clearing twice harms nothing. Nothing is
    done where nobody is due. Whoever erases need not wait: rewriting tables is no part of a request.
    """
    due = select(Person.id).where(col(Person.erased_at).is_not(None), col(Person.cleared_at).is_(None))
    with database.reading() as session:
        ids = session.exec(due.order_by(col(Person.id))).all()
    if not ids:
        return True
    if not scrub(database):
        return False
    with database.transaction() as session:
        for person in locked(session, Person, *(id_ for id_ in ids if id_ is not None)):
            person.cleared_at = now(session)
            session.add(person)
    return True


def scrub(database: Database) -> bool:
    """Clear deleted bytes out of the database's own files; run it after erasures have been committed.

    SQLite overwrites freed pages itself (`secure_delete`), so what is left lies in its log, which is folded in and
    cut; False if somebody's look at the database kept the log from being cut: run it again. PostgreSQL keeps old rows
    in their pages until the tables are rewritten, which locks each for a moment.
    """
    if database.is_sqlite:
        return _cut_sqlites_log(database)
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for table in _TABLES:
            connection.exec_driver_sql(f"VACUUM (FULL) {table.__tablename__}")
    return True


def _cut_sqlites_log(database: Database) -> bool:
    # A checkpoint stands outside of any transaction, and `Database` would begin one; the connection is not used again,
    # because it no longer waits for others as the pool's do.
    connection = database.engine.raw_connection()
    try:
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {_WAIT_FOR_LOOKS_MS}")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        answer = cursor.fetchone()
        assert answer is not None  # (busy, pages in the log, pages folded in)
        return not answer[0]
    finally:
        connection.invalidate()
        connection.close()


def _refuse_while_served(session: Session, person: Person, package_ids: Iterable[int | None], today: date) -> None:
    # Whoever handed back serves until the last day, which may lie ahead, and has to find the person until then.
    is_served = or_(col(Contract.state).in_(IN_FORCE), col(Contract.last_day) > today)
    contract = session.exec(
        select(Contract).where(col(Contract.package_id).in_(package_ids), is_served).order_by(col(Contract.id))
    ).first()
    if contract is not None:
        raise StillServed(ref=person.ref, contract=contract.ref)


def _blank(session: Session, table: Any, rule: Any, *columns: str) -> None:
    """Set these columns to NULL, and in rows already read too."""
    session.execute(
        update(table).where(rule).values(dict.fromkeys(columns)), execution_options={"synchronize_session": "fetch"}
    )
