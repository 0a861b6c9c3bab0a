"""The person who needs care: one row per authority, readable only under a key of their own (law 7).

The key is 32 random bytes, wrapped with the application key and stored beside what it opens. Everything personal in
this room (identity, address of care, free text, reasons) is sealed under it, so that destroying it is erasure; see
`erasure.py`. Each opening is an event of the person's stream, which holds references and purposes only.
"""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.exc import IntegrityError
from sqlmodel import Field, Session, SQLModel, col, select

from dps.kernel import audit
from dps.kernel.actors import Actor, Role
from dps.kernel.calendar import LONDON
from dps.kernel.columns import bytes_column, id_column, json_column, ref_column, utc_column
from dps.kernel.database import locked_one
from dps.kernel.entropy import Entropy, SystemEntropy
from dps.kernel.errors import BadInput, Forbidden, NotFound, NothingChanged, PersonErased, PersonKnown
from dps.kernel.keys import Keyring, SecretBox
from dps.kernel.references import Kind, new_reference
from dps.packages.identity import Identity

_KEY_BYTES = 32

REGISTERING = (Role.BROKER, Role.REQUESTER)
READING = (Role.BROKER, Role.APPROVER)


class Purpose(StrEnum):
    """Why somebody opens what is confidential."""

    ARRANGING_CARE = "arranging_care"
    CORRECTING = "correcting"
    SAFEGUARDING = "safeguarding"
    SUBJECT_ACCESS = "subject_access"
    HANDOVER = "handover"
    DELIVERING_CARE = "delivering_care"


OF_THE_WINNER = frozenset({Purpose.HANDOVER, Purpose.DELIVERING_CARE})


class Person(SQLModel, table=True):
    """One person known to one authority. `identity_given` names the fields that are known, and holds none of them.

    `nhs_fingerprint` is a keyed digest: it makes sure that one person is one row, and goes with the key.
    """

    __tablename__ = "person"
    __table_args__ = (
        UniqueConstraint("authority", "nhs_fingerprint"),
        CheckConstraint("(erased_at IS NULL) = (wrapped_key IS NOT NULL)", name="key_until_erased"),
        CheckConstraint("(erased_at IS NULL) = (identity IS NOT NULL)", name="identity_until_erased"),
        CheckConstraint("erased_at IS NULL OR nhs_fingerprint IS NULL", name="no_fingerprint_when_erased"),
    )

    id: int | None = id_column()
    ref: str = ref_column()
    authority: str = Field(max_length=40, index=True)
    wrapped_key: bytes | None = bytes_column(nullable=True)
    identity: bytes | None = bytes_column(nullable=True)
    identity_given: list[str] = json_column()
    nhs_fingerprint: str | None = Field(default=None, max_length=64)
    registered_at: datetime = utc_column()
    erased_at: datetime | None = utc_column(nullable=True)
    cleared_at: datetime | None = utc_column(nullable=True)

    @property
    def stream(self) -> str:
        return self.ref


# Commands


def register_person(
    session: Session,
    keyring: Keyring,
    entropy: Entropy,
    *,
    authority: str,
    identity: Identity,
    actor: Actor,
    now: datetime,
) -> Person:
    """Register a person with a key of their own. PersonKnown if the authority knows this NHS number already."""
    actor.needs("register a person", *REGISTERING)
    actor.sees("authority", authority, authority=authority)
    refuse_unborn(identity, now)
    ref = new_reference(Kind.PERSON, entropy)
    fingerprint = _nhs_fingerprint(session, keyring, authority, identity)
    # A person's key never comes from a seeded stream, whatever the references of a demonstration do.
    key = SystemEntropy().token(_KEY_BYTES)
    person = Person(
        ref=ref,
        authority=authority,
        wrapped_key=keyring.application.seal(key, about=_about_key(ref)),
        identity=SecretBox(key).seal(identity.to_bytes(), about=_about_identity(ref)),
        identity_given=list(identity.given),
        nhs_fingerprint=fingerprint,
        registered_at=now,
    )
    try:
        with session.begin_nested():
            session.add(person)
    except IntegrityError:
        # Another transaction registered the same NHS number between the look and the insert.
        _nhs_fingerprint(session, keyring, authority, identity)
        raise
    audit.append(session, person.stream, "person.registered", actor, now, {"ref": ref, "authority": authority})
    return person


def correct_identity(
    session: Session, keyring: Keyring, person: Person, *, identity: Identity, actor: Actor, now: datetime
) -> None:
    """Replace what is known of a person; the event names the fields that changed, never what they said."""
    actor.needs("correct a person", *REGISTERING)
    actor.sees("person", person.ref, authority=person.authority)
    refuse_unborn(identity, now)
    current = locked_one(session, Person, person.id)
    box = personal_box(keyring, current)
    before = open_identity(box, current)
    changed = sorted(name for name in Identity.__slots__ if getattr(before, name) != getattr(identity, name))
    if not changed:
        raise NothingChanged(ref=person.ref)
    current.nhs_fingerprint = _nhs_fingerprint(session, keyring, current.authority, identity, but=current)
    current.identity = box.seal(identity.to_bytes(), about=_about_identity(current.ref))
    current.identity_given = list(identity.given)
    session.add(current)
    session.flush()
    audit.append(session, current.stream, "person.corrected", actor, now, {"ref": current.ref, "changed": changed})


def disclose(
    session: Session,
    keyring: Keyring,
    person: Person,
    *,
    actor: Actor,
    purpose: Purpose,
    now: datetime,
    winner: str | None = None,
    writer: str | None = None,
) -> Identity:
    """Open a person's identity and record who did, and why.

    Brokers and approvers of the person's own authority may; a provider may only as `winner`, the provider whose
    accepted award or running contract the caller has just read from the database, and only for the winner's purposes;
    a requester only as `writer`, the account whose own unsent draft the caller has just read, and only to correct it.
    """
    current = locked_one(session, Person, person.id, shared=True)
    may_disclose(current, actor=actor, purpose=purpose, winner=winner, writer=writer)
    identity = open_identity(personal_box(keyring, current), current)
    record_opening(session, current, "person.disclosed", actor, purpose, now, {"ref": current.ref})
    return identity


# What the other files of this room need


def may_disclose(
    person: Person, *, actor: Actor, purpose: Purpose, winner: str | None, writer: str | None = None
) -> None:
    """Refuse whoever may not open this person's sealed facts for this purpose."""
    if actor.role is Role.PROVIDER:
        if winner is None or actor.provider != winner:
            raise NotFound(kind="person", ref=person.ref)
        if purpose not in OF_THE_WINNER:
            raise Forbidden(actor=actor.ref, step=f"open a person's identity for {purpose.replace('_', ' ')}")
        return
    actor.sees("person", person.ref, authority=person.authority)
    if actor.role is Role.REQUESTER and writer == actor.ref and purpose is Purpose.CORRECTING:
        return
    actor.needs("open a person's identity", *READING)
    if actor.authority != person.authority or purpose in OF_THE_WINNER:
        raise Forbidden(actor=actor.ref, step=f"open a person's identity for {purpose.replace('_', ' ')}")


def record_opening(
    session: Session,
    person: Person,
    kind: str,
    actor: Actor,
    purpose: Purpose,
    now: datetime,
    facts: dict[str, str],
) -> None:
    """Write the opening into the person's stream, where a subject access request finds all of them."""
    by = {"provider": actor.provider} if actor.provider else {}
    audit.append(session, person.stream, kind, actor, now, {**facts, **by, "purpose": purpose})


def personal_box(keyring: Keyring, person: Person) -> SecretBox:
    """What encrypts under the person's own key; PersonErased once it is destroyed."""
    if person.wrapped_key is None:
        raise PersonErased(ref=person.ref)
    return SecretBox(keyring.application.open(person.wrapped_key, about=_about_key(person.ref)))


def open_identity(box: SecretBox, person: Person) -> Identity:
    """For comparing inside a command alone; whoever is shown it goes through `disclose`."""
    assert person.identity is not None  # the table's CHECK: whoever has a key has an identity
    return Identity.from_bytes(box.open(person.identity, about=_about_identity(person.ref)))


# Queries


def find_person(session: Session, ref: str, *, actor: Actor) -> Person:
    """The person of this reference; NotFound for providers and other authorities, as if there were none."""
    person = session.exec(select(Person).where(Person.ref == ref)).first()
    if person is None or actor.role is Role.PROVIDER:
        raise NotFound(kind="person", ref=ref)
    actor.sees("person", ref, authority=person.authority)
    return person


def refuse_unborn(identity: Identity, now: datetime) -> None:
    """BadInput for a date of birth that is still to come."""
    if identity.date_of_birth is not None and identity.date_of_birth > now.astimezone(LONDON).date():
        raise BadInput("a date of birth lies in the past", field="date_of_birth")


def _nhs_fingerprint(
    session: Session, keyring: Keyring, authority: str, identity: Identity, *, but: Person | None = None
) -> str | None:
    if not identity.nhs_number:
        return None
    fingerprint = keyring.fingerprint(b"nhs number", authority.encode(), identity.nhs_number.encode())
    known = session.exec(
        select(Person).where(col(Person.authority) == authority, col(Person.nhs_fingerprint) == fingerprint)
    ).first()
    if known is not None and (but is None or known.id != but.id):
        raise PersonKnown(ref=known.ref)
    return fingerprint


def _about_key(ref: str) -> str:
    return f"{ref} key"


def _about_identity(ref: str) -> str:
    return f"{ref} identity"
