"""Accounts of people: council staff and providers' people, each in one part, within one authority or one provider.

Somebody who does two parts' work has two accounts, so that the trail always says in which part they acted (law 9).
"""

import re
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import CheckConstraint
from sqlmodel import Field, Session, SQLModel, col, select

from dps.kernel import audit
from dps.kernel.actors import Actor, Role
from dps.kernel.columns import bytes_column, id_column, ref_column, state_column, utc_column, whole_column
from dps.kernel.database import locked_one
from dps.kernel.entropy import Entropy
from dps.kernel.errors import AccountKnown, BadInput, NotFound
from dps.kernel.references import Kind, new_reference
from web.security.passwords import hashed


class Part(StrEnum):
    """What an account is for."""

    BROKER = "broker"
    APPROVER = "approver"
    COMMISSIONER = "commissioner"
    AUDITOR = "auditor"
    REGISTER_OFFICER = "register_officer"
    REQUESTER = "requester"
    ADMINISTRATOR = "administrator"
    PROVIDER_USER = "provider_user"
    PROVIDER_ADMIN = "provider_admin"

    @property
    def role(self) -> Role:
        """The role in which the engine knows it: to the rules a provider's people are the provider."""
        return Role.PROVIDER if self in OF_PROVIDER else Role(self.value)


INVITED_FOR = timedelta(days=7)
"""How long the link at which a person chooses a password is good."""

OF_PROVIDER = frozenset({Part.PROVIDER_USER, Part.PROVIDER_ADMIN})
_OF_INSTALLATION = frozenset({Part.AUDITOR, Part.ADMINISTRATOR})
_ADDRESS = re.compile(r"[^@\s]{1,64}@[^@\s]{1,185}\.[^@\s.]{2,63}")
_MOBILE = re.compile(r"\+[1-9][0-9]{9,14}")


class Account(SQLModel, table=True):
    """One person's way in. `totp_secret` is sealed; `totp_step` is the last 30 seconds whose code was used.

    `invited_at` is when its person was asked to choose a password; empty once they have (`invitations`).
    """

    __tablename__ = "account"
    __table_args__ = (
        CheckConstraint(
            "(provider IS NOT NULL) = (part IN ('provider_user', 'provider_admin'))", name="provider_of_provider"
        ),
        CheckConstraint(
            "authority IS NOT NULL OR part IN ('provider_user', 'provider_admin', 'auditor', 'administrator')",
            name="has_authority",
        ),
        CheckConstraint("authority IS NULL OR provider IS NULL", name="one_side"),
    )

    id: int | None = id_column()
    ref: str = ref_column()
    email: str = Field(unique=True, max_length=254)
    name: str = Field(max_length=80)
    part: Part = state_column(Part, index=False)
    authority: str | None = Field(default=None, max_length=40)
    provider: str | None = Field(default=None, max_length=24, index=True)
    password_hash: str = Field(max_length=200)
    invited_at: datetime | None = utc_column(nullable=True)
    totp_secret: bytes | None = bytes_column(nullable=True)
    totp_step: int | None = whole_column(nullable=True)
    mobile: str | None = Field(default=None, max_length=20)
    created_at: datetime = utc_column()
    created_by: str
    closed_at: datetime | None = utc_column(nullable=True)

    @property
    def stream(self) -> str:
        return f"account:{self.ref}"

    def is_invited(self, wall: datetime) -> bool:
        """Whether a password can be chosen by the link that was sent; `wall` is real time."""
        return self.invited_at is not None and wall < self.invited_at + INVITED_FOR

    @property
    def actor(self) -> Actor:
        """Who acts when this person does."""
        return Actor(ref=self.ref, role=self.part.role, authority=self.authority, provider=self.provider)


def add_account(
    session: Session,
    entropy: Entropy,
    *,
    email: str,
    name: str,
    part: Part,
    password: str,
    authority: str | None = None,
    provider: str | None = None,
    by: Actor,
    now: datetime,
) -> Account:
    """A new account. Only an administrator makes one; AccountKnown where the address has one already."""
    by.needs("make an account", Role.ADMINISTRATOR)
    return new_account(
        session, entropy, email=email, name=name, part=part, password=password, authority=authority, provider=provider,
        by=by, now=now,
    )  # fmt: skip


def new_account(
    session: Session,
    entropy: Entropy,
    *,
    email: str,
    name: str,
    part: Part,
    password: str,
    authority: str | None,
    provider: str | None,
    by: Actor,
    now: datetime,
) -> Account:
    """The account itself, for whoever may make it (`managing.invite`, `add_account`)."""
    called, address = addressed(name), normal_email(email)
    if (part in OF_PROVIDER) != (provider is not None):
        raise BadInput("a provider's account names its provider, and no other does", field="provider")
    if part in OF_PROVIDER and authority is not None:
        raise BadInput("a provider belongs to no authority", field="authority")
    if authority is None and part not in OF_PROVIDER | _OF_INSTALLATION:
        raise BadInput(f"a {part.replace('_', ' ')} works for one authority: name it", field="authority")
    refuse_known(session, address)
    account = Account(
        ref=new_reference(Kind.USER, entropy),
        email=address,
        name=called,
        part=part,
        authority=authority,
        provider=provider,
        password_hash=hashed(password, email=address),
        created_at=now,
        created_by=by.ref,
    )
    session.add(account)
    session.flush()
    facts = {"part": str(part), "authority": authority, "provider": provider}
    audit.append(session, account.stream, "account.added", by, now, facts)
    return account


def set_password(session: Session, *, account: Account, password: str, by: Actor, now: datetime) -> None:
    """Another password, at once; ending the sessions is the caller's."""
    row = locked_one(session, Account, account.id)
    row.password_hash = hashed(password, email=row.email)
    session.add(row)
    audit.append(session, row.stream, "account.password_set", by, now)


def set_mobile(session: Session, *, account: Account, mobile: str) -> None:
    """The number for text messages; an empty one takes it away. BadInput for what is no mobile number."""
    number = "".join(mobile.split()).replace("-", "")
    if number.startswith("07"):
        number = f"+44{number[1:]}"
    if number and not _MOBILE.fullmatch(number):
        raise BadInput("write a mobile number such as 07700 900001", field="mobile")
    row = locked_one(session, Account, account.id)
    row.mobile = number or None
    session.add(row)


def close_account(session: Session, *, email: str, by: Actor, now: datetime) -> Account:
    """End an account for good; closing it twice is no error."""
    by.needs("close an account", Role.ADMINISTRATOR)
    found = find_account(session, normal_email(email))
    if found is None:
        raise NotFound(kind="account", ref=email)
    row = locked_one(session, Account, found.id)
    if row.closed_at is None:
        row.closed_at = now
        session.add(row)
        audit.append(session, row.stream, "account.closed", by, now)
    return row


def addressed(name: str) -> str:
    """How the pages address somebody; BadInput for nothing, or for too much."""
    if not 1 <= len(name.strip()) <= 80:
        raise BadInput("give a name of 1 to 80 characters", field="name")
    return name.strip()


def refuse_known(session: Session, address: str) -> None:
    """AccountKnown where this (normal) address has an account."""
    if find_account(session, address) is not None:
        raise AccountKnown(email=address)


def find_account(session: Session, address: str) -> Account | None:
    """The account of this (normal) address, closed ones too."""
    return session.exec(select(Account).where(Account.email == address)).first()


def every_account(session: Session) -> Sequence[Account]:
    return session.exec(select(Account).order_by(col(Account.id))).all()


def names_of(session: Session, refs: Collection[str]) -> dict[str, str]:
    """The names of these accounts; whoever has none, such as a council's own system, goes by the reference."""
    query = select(Account.ref, Account.name).where(col(Account.ref).in_(refs))
    return {ref: ref for ref in refs} | dict(session.exec(query).all())


def normal_email(text: str) -> str:
    """The address as it is stored and looked for; BadInput for what is none."""
    address = text.strip().casefold()
    if not _ADDRESS.fullmatch(address):
        raise BadInput("write an address such as name@example.org", field="email")
    return address


def holder_account(session: Session, email: str) -> Account:
    """The open account of a council's own person; BadInput where the address has none."""
    found = find_account(session, normal_email(email))
    if found is None or found.closed_at is not None or found.part in OF_PROVIDER:
        raise BadInput("nobody of a council signs in with this address", field="email")
    return found
