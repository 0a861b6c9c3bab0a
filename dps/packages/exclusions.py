"""Providers that must not serve one person, confidentially (law 7).

The reason is sealed under the person's key. Brokers read it, each time recorded; the provider only ever learns that
it was "not invited"; auditors get the count. The trail names the exclusion and a keyed digest of the provider: whoever
checks the row against the trail needs the application key, and a reader of the trail learns nobody's name.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy import Index, func, text
from sqlmodel import Field, Session, SQLModel, col, select

from dps.kernel import audit
from dps.kernel.actors import Actor, Role
from dps.kernel.columns import bytes_column, canonical_json, id_column, link_column, ref_column, utc_column
from dps.kernel.database import locked_one
from dps.kernel.entropy import Entropy
from dps.kernel.errors import AlreadyExcluded, NotFound, NothingChanged
from dps.kernel.keys import Keyring
from dps.kernel.references import Kind, new_reference, parse_reference
from dps.packages.persons import READING, Person, Purpose, may_disclose, personal_box, record_opening
from dps.packages.text import text as checked_text


class Ground(StrEnum):
    """Why a provider must not serve a person."""

    SAFEGUARDING = "safeguarding"
    RELATIVE_EMPLOYED = "relative_employed"
    PERSONS_WISH = "persons_wish"


@dataclass(frozen=True, slots=True, repr=False)
class Reason:
    """The ground and a broker's words."""

    ground: Ground
    words: str

    def __repr__(self) -> str:
        return "Reason(withheld)"


class ProviderExclusion(SQLModel, table=True):
    """One provider excluded for one person, until lifted. `reason` is ciphertext, None once the person is erased."""

    __tablename__ = "provider_exclusion"
    __table_args__ = (
        Index(
            "uq_provider_exclusion_in_force",
            "person_id",
            "provider",
            unique=True,
            sqlite_where=text("lifted_at IS NULL"),
            postgresql_where=text("lifted_at IS NULL"),
        ),
    )

    id: int | None = id_column()
    ref: str = ref_column()
    person_id: int = link_column("person.id", index=False)
    provider: str = Field(max_length=24)
    reason: bytes | None = bytes_column(nullable=True)
    excluded_by: str = Field(max_length=40)
    excluded_at: datetime = utc_column()
    lifted_at: datetime | None = utc_column(nullable=True)


# Commands


def exclude(
    session: Session,
    keyring: Keyring,
    entropy: Entropy,
    person: Person,
    *,
    provider: str,
    reason: Reason,
    actor: Actor,
    now: datetime,
) -> ProviderExclusion:
    """Keep this provider from every package of the person until the exclusion is lifted."""
    actor.needs("exclude a provider", *READING)
    actor.sees("person", person.ref, authority=person.authority)
    named = parse_reference(provider, Kind.PROVIDER)
    holder = locked_one(session, Person, person.id)
    if named in excluded_providers(session, holder):
        raise AlreadyExcluded()
    ref = new_reference(Kind.EXCLUSION, entropy)
    words = {"ground": reason.ground, "words": checked_text(reason.words, "reason")}
    assert holder.id is not None
    exclusion = ProviderExclusion(
        ref=ref,
        person_id=holder.id,
        provider=named,
        reason=personal_box(keyring, holder).seal(canonical_json(words).encode(), about=_about(ref)),
        excluded_by=actor.ref,
        excluded_at=now,
    )
    session.add(exclusion)
    session.flush()
    facts = {"ref": holder.ref, "exclusion": ref, "provider_digest": provider_digest(keyring, exclusion)}
    audit.append(session, holder.stream, "person.provider_excluded", actor, now, facts)
    return exclusion


def lift(session: Session, person: Person, ref: str, *, actor: Actor, now: datetime) -> None:
    """End an exclusion of this person; the row and its reason stay."""
    actor.needs("lift an exclusion", *READING)
    actor.sees("person", person.ref, authority=person.authority)
    holder = locked_one(session, Person, person.id)
    exclusion = session.exec(
        select(ProviderExclusion).where(ProviderExclusion.ref == ref, ProviderExclusion.person_id == holder.id)
    ).first()
    if exclusion is None:
        raise NotFound(kind="exclusion", ref=ref)
    if exclusion.lifted_at is not None:
        raise NothingChanged(ref=ref)
    exclusion.lifted_at = now
    session.add(exclusion)
    session.flush()
    facts = {"ref": holder.ref, "exclusion": ref}
    audit.append(session, holder.stream, "person.exclusion_lifted", actor, now, facts)


def disclose_reasons(
    session: Session, keyring: Keyring, person: Person, *, actor: Actor, purpose: Purpose, now: datetime
) -> Mapping[str, Reason]:
    """By provider, why each is excluded now: for the person's own brokers and approvers, and recorded."""
    holder = locked_one(session, Person, person.id, shared=True)
    may_disclose(holder, actor=actor, purpose=purpose, winner=None)
    box = personal_box(keyring, holder)
    reasons = {}
    for exclusion in _in_force(session, holder):
        assert exclusion.reason is not None
        form = json.loads(box.open(exclusion.reason, about=_about(exclusion.ref)))
        reasons[exclusion.provider] = Reason(Ground(form["ground"]), form["words"])
    record_opening(session, holder, "person.exclusions_disclosed", actor, purpose, now, {"ref": holder.ref})
    return reasons


# Queries


def excluded_providers(session: Session, person: Person) -> frozenset[str]:
    """The providers that must not serve this person now: for eligibility, never for a page."""
    return frozenset(exclusion.provider for exclusion in _in_force(session, person))


def refs_in_force(session: Session, person: Person) -> dict[str, str]:
    """By provider, the exclusion that is in force: what its lifting names."""
    return {exclusion.provider: exclusion.ref for exclusion in _in_force(session, person)}


def excluded_by_person(session: Session, person_ids: Collection[int]) -> dict[int, frozenset[str]]:
    """The same for many people in one query, by `Person.id`; those without any are left out."""
    found: dict[int, set[str]] = {}
    for person_id, provider in session.execute(_EXCLUDED, {"ids": list(person_ids)}):
        found.setdefault(person_id, set()).add(provider)
    return {person_id: frozenset(providers) for person_id, providers in found.items()}


# Built once: every stage, bid and award asks it.
_EXCLUDED = sa.select(col(ProviderExclusion.person_id), col(ProviderExclusion.provider)).where(
    col(ProviderExclusion.person_id).in_(sa.bindparam("ids", expanding=True)),
    col(ProviderExclusion.lifted_at).is_(None),
)


def count_exclusions(session: Session, *, authority: str, actor: Actor) -> int:
    """How many exclusions an authority has in force: all that an auditor learns of them."""
    actor.needs("count exclusions", Role.AUDITOR, *READING)
    actor.sees("authority", authority, authority=authority)
    query = (
        select(func.count())
        .select_from(ProviderExclusion)
        .join(Person, col(Person.id) == col(ProviderExclusion.person_id))
        .where(col(Person.authority) == authority, col(ProviderExclusion.lifted_at).is_(None))
    )
    return session.exec(query).one()


def provider_digest(keyring: Keyring, exclusion: ProviderExclusion) -> str:
    """What the trail says of the provider: nothing without the application key."""
    return keyring.fingerprint(b"exclusion", exclusion.ref.encode(), exclusion.provider.encode())


def _in_force(session: Session, person: Person) -> Sequence[ProviderExclusion]:
    query = select(ProviderExclusion).where(
        ProviderExclusion.person_id == person.id, col(ProviderExclusion.lifted_at).is_(None)
    )
    return session.exec(query.order_by(col(ProviderExclusion.id))).all()


def _about(ref: str) -> str:
    return f"{ref} reason"
