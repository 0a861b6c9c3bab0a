"""The package of care that a referral asks to place and a contract serves, with every version it ever had.

Each change (`amendments.py`) leaves a snapshot that is never rewritten, bound to the trail by its digest. Free text
and the address of care are sealed under the person's key. Locks are taken in the order person, package.
"""

import hashlib
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlmodel import Field, Session, SQLModel, col, select

from dps.kernel import audit
from dps.kernel.actors import Actor, Role
from dps.kernel.columns import (
    bytes_column,
    canonical_json,
    day_column,
    id_column,
    json_column,
    link_column,
    ref_column,
    state_column,
    utc_column,
    whole_column,
)
from dps.kernel.database import locked_one
from dps.kernel.entropy import Entropy
from dps.kernel.errors import NotFound, NothingChanged, PersonErased, StateChanged
from dps.kernel.keys import Keyring, SecretBox
from dps.kernel.references import Kind, new_reference
from dps.packages.facts import Confidential, FreeText, FundingStream, LinkKind, PackageFacts, check_against_scheme
from dps.packages.identity import AgeBand
from dps.packages.persons import Person, Purpose, may_disclose, open_identity, personal_box, record_opening
from dps.packages.residence import refuse_other_council
from dps.packages.telltales import Found, telltales
from dps.schemes.model import Scheme, Urgency

WRITING = (Role.BROKER, Role.REQUESTER)
CONFIRMING = (Role.BROKER, Role.APPROVER)


class Package(SQLModel, table=True):
    """The package as it stands: version `version` after `correction` corrections of it.

    `free_text` and `confidential` are ciphertext under the person's key, None once the person is erased;
    `free_text_given` names the texts there are. `referred_at` is when it was first published.
    """

    __tablename__ = "package"
    __table_args__ = (
        CheckConstraint("weekly_minutes > 0", name="has_minutes"),
        CheckConstraint("earliest_start <= latest_start", name="starts_in_order"),
        CheckConstraint("budget_pence >= 0 AND budget_weeks >= 1", name="budget"),
        CheckConstraint("version >= 1 AND correction >= 0", name="version_counts"),
        CheckConstraint("(linked_group IS NULL) = (linked_as = 'alone')", name="linked_or_alone"),
        Index("ix_package_crowd", "scheme", "referred_at"),
    )

    id: int | None = id_column()
    ref: str = ref_column()
    authority: str = Field(max_length=40, index=True)
    person_id: int = link_column("person.id")
    scheme: str = Field(max_length=40)
    lot: str = Field(max_length=40)
    urgency: Urgency = state_column(Urgency, index=False)
    locality: str = Field(max_length=40)
    sector: str = Field(max_length=8)
    funding: FundingStream = state_column(FundingStream, index=False)
    legal_basis: str | None = Field(default=None, max_length=24)
    schedule: Any = json_column(nullable=True)
    schedule_is_provisional: bool = Field(default=False)
    weekly_minutes: int | None = whole_column(nullable=True)
    needs: list[str] | None = json_column(nullable=True)
    flags: list[str] | None = json_column(nullable=True)
    age_band: AgeBand = state_column(AgeBand, index=False)
    budget_pence: int | None = whole_column(nullable=True)
    budget_weeks: int | None = whole_column(nullable=True)
    earliest_start: date | None = day_column(nullable=True)
    latest_start: date | None = day_column(nullable=True)
    preferred_provider: str | None = Field(default=None, max_length=24)
    existing_provider: str | None = Field(default=None, max_length=24)
    other_minutes_allowed: bool = Field(default=False)
    linked_group: str | None = Field(default=None, max_length=24, index=True)
    linked_as: LinkKind = state_column(LinkKind, index=False)
    free_text: bytes | None = bytes_column(nullable=True)
    free_text_given: list[str] = json_column()
    free_text_confirmed_by: str | None = Field(default=None, max_length=40)
    confidential: bytes | None = bytes_column(nullable=True)
    version: int = whole_column(default=1)
    correction: int = whole_column(default=0)
    created_at: datetime = utc_column()
    changed_at: datetime = utc_column()
    referred_at: datetime | None = utc_column(nullable=True)

    @property
    def stream(self) -> str:
        return self.ref

    @property
    def edition(self) -> str:
        """Which version and correction this is, `2.1`: what a form carries, so that nobody overwrites another."""
        return f"{self.version}.{self.correction}"

    @property
    def facts(self) -> PackageFacts:
        """The facts as one record, to look at and to change a copy of."""
        return PackageFacts.from_columns({name: getattr(self, name) for name in PackageFacts.__slots__})


class PackageVersion(SQLModel, table=True):
    """What version `number` said after `correction` corrections; its texts stay sealed under the person's key."""

    __tablename__ = "package_version"
    __table_args__ = (UniqueConstraint("package_id", "number", "correction"),)

    id: int | None = id_column()
    package_id: int = link_column("package.id", index=False)
    number: int = whole_column()
    correction: int = whole_column()
    changed: list[str] = json_column()
    facts: Any = json_column()
    free_text: bytes | None = bytes_column(nullable=True)
    confidential: bytes | None = bytes_column(nullable=True)
    changed_by: str = Field(max_length=40)
    at: datetime = utc_column()


# Commands


def create_package(
    session: Session,
    keyring: Keyring,
    entropy: Entropy,
    person: Person,
    *,
    facts: PackageFacts,
    confidential: Confidential,
    free_text: FreeText | None = None,
    scheme: Scheme,
    actor: Actor,
    now: datetime,
) -> Package:
    """Write down a package for a person of the actor's own authority; it may still be incomplete (`readiness`)."""
    actor.needs("write a package", *WRITING)
    actor.sees("person", person.ref, authority=person.authority)
    check_against_scheme(facts, confidential, scheme, person.authority)
    refuse_other_council(session, confidential.postcode, scheme, person.authority)
    holder = locked_one(session, Person, person.id, shared=True)
    box = personal_box(keyring, holder)
    assert holder.id is not None
    package = Package(
        ref=new_reference(Kind.PACKAGE, entropy),
        authority=holder.authority,
        person_id=holder.id,
        **facts.columns(),
        weekly_minutes=facts.weekly_minutes,
        linked_as=LinkKind.ALONE,
        version=1,
        correction=0,
        created_at=now,
        changed_at=now,
    )
    seal_free_text(box, package, free_text or FreeText())
    seal_confidential(box, package, confidential)
    session.add(package)
    session.flush()
    record_version(session, package, "package.created", (), actor, now, {"person": holder.ref})
    return package


def confirm_free_text(
    session: Session, package: Package, *, edition: str | None = None, actor: Actor, now: datetime
) -> None:
    """Say, as a broker, that the text of this edition tells nobody who the person is: it may be published.

    StateChanged if the package is no longer of `edition` (of the row's, where none is given).
    """
    actor.needs("confirm free text", *CONFIRMING)
    current = locked_as_read(session, package, edition, actor)
    if current.free_text is None:
        raise PersonErased(ref=person_of(session, current).ref)
    if not current.free_text_given or current.free_text_confirmed_by is not None:
        raise NothingChanged(ref=current.ref)
    current.free_text_confirmed_by = actor.ref
    session.add(current)
    session.flush()
    audit.append(
        session,
        current.stream,
        "package.free_text_confirmed",
        actor,
        now,
        {"ref": current.ref, "version": current.version, "correction": current.correction},
    )


def note_referred(session: Session, package: Package, *, now: datetime) -> None:
    """Remember when the package was first published, in the transaction that does it; later times change nothing."""
    current = locked_one(session, Package, package.id)
    if current.referred_at is None:
        current.referred_at = now
        session.add(current)
        session.flush()


def disclose_confidential(
    session: Session,
    keyring: Keyring,
    package: Package,
    *,
    actor: Actor,
    purpose: Purpose,
    now: datetime,
    winner: str | None = None,
    writer: str | None = None,
) -> Confidential:
    """Open where care is given and how one gets in, to those who may open the person's identity; recorded alike."""
    person = locked_one(session, Person, package.person_id, shared=True)
    may_disclose(person, actor=actor, purpose=purpose, winner=winner, writer=writer)
    current = locked_one(session, Package, package.id, shared=True)
    confidential = open_confidential(personal_box(keyring, person), current)
    about = {"ref": person.ref, "package": current.ref}
    record_opening(session, person, "package.disclosed", actor, purpose, now, about)
    return confidential


# What the other files of this room need


def locked_as_read(session: Session, package: Package, edition: str | None, actor: Actor) -> Package:
    """The package, locked; StateChanged if it is no longer of the edition that the caller looked at."""
    actor.sees("package", package.ref, authority=package.authority)
    seen = edition or package.edition
    locked_one(session, Person, package.person_id, shared=True)
    current = locked_one(session, Package, package.id)
    if current.edition != seen:
        raise StateChanged(kind="Package", ref=package.ref)
    return current


def record_version(
    session: Session,
    package: Package,
    kind: str,
    changed: tuple[str, ...],
    actor: Actor,
    now: datetime,
    more: dict[str, Any],
) -> None:
    """Keep this version's snapshot, and bind it to the trail by its digest."""
    assert package.id is not None
    snapshot = package.facts.snapshot()
    session.add(
        PackageVersion(
            package_id=package.id,
            number=package.version,
            correction=package.correction,
            changed=list(changed),
            facts=snapshot,
            free_text=package.free_text,
            confidential=package.confidential,
            changed_by=actor.ref,
            at=now,
        )
    )
    session.flush()
    digest = hashlib.sha256(canonical_json(snapshot).encode()).hexdigest()
    body = {"ref": package.ref, "version": package.version, "correction": package.correction, "facts_sha256": digest}
    audit.append(session, package.stream, kind, actor, now, {**body, "changed": list(changed), **more})


def open_free_text(box: SecretBox, package: Package) -> FreeText:
    assert package.free_text is not None
    return FreeText.from_bytes(box.open(package.free_text, about=_about_text(package.ref)))


def open_confidential(box: SecretBox, package: Package) -> Confidential:
    assert package.confidential is not None
    return Confidential.from_bytes(box.open(package.confidential, about=_about_confidential(package.ref)))


def seal_free_text(box: SecretBox, package: Package, words: FreeText) -> None:
    """Keep these words, held back until a broker confirms them."""
    package.free_text = box.seal(words.to_bytes(), about=_about_text(package.ref))
    package.free_text_given = list(words.given)
    package.free_text_confirmed_by = None


def seal_confidential(box: SecretBox, package: Package, confidential: Confidential) -> None:
    package.confidential = box.seal(confidential.to_bytes(), about=_about_confidential(package.ref))


def _about_text(ref: str) -> str:
    return f"{ref} free text"


def _about_confidential(ref: str) -> str:
    return f"{ref} confidential"


# Queries


def find_package(session: Session, ref: str, *, actor: Actor) -> Package:
    """The package of this reference; NotFound for providers and other authorities, as if there were none."""
    package = session.exec(select(Package).where(Package.ref == ref)).first()
    if package is None or actor.role is Role.PROVIDER:
        raise NotFound(kind="package", ref=ref)
    actor.sees("package", ref, authority=package.authority)
    return package


def person_of(session: Session, package: Package) -> Person:
    return session.exec(select(Person).where(Person.id == package.person_id)).one()


def free_text_of(session: Session, keyring: Keyring, package: Package) -> FreeText:
    """The words as they stand, confirmed or not: for brokers, who have to read them before they confirm.

    What is published goes through `publication.published_part`, which holds unconfirmed words back.
    """
    if package.free_text is None:
        raise PersonErased(ref=person_of(session, package).ref)
    return open_free_text(personal_box(keyring, person_of(session, package)), package)


def telltales_of(session: Session, keyring: Keyring, package: Package) -> tuple[Found, ...]:
    """What in the words may tell who the person is, their own record compared; for whoever is about to confirm them."""
    if package.free_text is None:
        return ()
    person = person_of(session, package)
    box = personal_box(keyring, person)
    return telltales(open_free_text(box, package), open_identity(box, person))


def versions_of(session: Session, package: Package) -> Sequence[PackageVersion]:
    """Every version and correction, in the order in which they were made."""
    query = select(PackageVersion).where(PackageVersion.package_id == package.id)
    return session.exec(query.order_by(col(PackageVersion.number), col(PackageVersion.correction))).all()
