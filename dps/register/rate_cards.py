"""A provider's standing prices for one lot of one scheme, encrypted at rest.

Standing data, not a bid: the application key opens it, so that a returning provider finds its prices filled in. It is
shown to nobody else. Source: design.md law 2.
"""

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, Session, SQLModel, col, select

from dps.kernel import audit
from dps.kernel.actors import Actor, Role
from dps.kernel.columns import bytes_column, id_column, link_column, utc_column
from dps.kernel.errors import BadInput
from dps.kernel.money import RateCard
from dps.kernel.ports import Ports
from dps.register.providers import Provider, locked_provider
from dps.register.texts import known
from dps.schemes.model import Scheme

_PADDED_TO_BYTES = 512


class StoredRateCard(SQLModel, table=True):
    """One card, sealed; padded, because a longer ciphertext would tell a longer card."""

    __tablename__ = "rate_card"
    __table_args__ = (UniqueConstraint("provider_id", "scheme", "lot"),)

    id: int | None = id_column()
    provider_id: int = link_column("provider.id", index=False)
    scheme: str = Field(max_length=40)
    lot: str = Field(max_length=40)
    sealed: bytes = bytes_column()
    updated_at: datetime = utc_column()


def put_rate_card(
    session: Session, ports: Ports, *, provider_id: int, scheme: Scheme, lot: str, card: RateCard, actor: Actor
) -> StoredRateCard:
    """Store this provider's card for a lot in place of an earlier one. Only the provider itself may."""
    actor.needs("store a rate card", Role.PROVIDER)
    provider = locked_provider(session, provider_id)
    actor.sees("provider", provider.ref, provider=provider.ref)
    known([lot], (one.key for one in scheme.lots), "lot", "lot")
    now = ports.clock.read(session)
    sealed = ports.keyring.application.seal(_padded(card), about=_about(provider, scheme.key, lot))
    stored = _stored(session, provider_id, scheme.key, lot)
    if stored is None:
        stored = StoredRateCard(provider_id=provider_id, scheme=scheme.key, lot=lot, sealed=sealed, updated_at=now)
        session.add(stored)
    else:
        stored.sealed, stored.updated_at = sealed, now
    session.flush()
    audit.append(session, provider.stream, "rate_card.store", actor, now, {"scheme": scheme.key, "lot": lot})
    return stored


def rate_card_of(
    session: Session, ports: Ports, *, provider: Provider, scheme_key: str, lot: str, actor: Actor
) -> RateCard | None:
    """This provider's card for a lot; None if it stored none. Nobody but the provider sees it."""
    actor.needs("see a rate card", Role.PROVIDER)
    actor.sees("provider", provider.ref, provider=provider.ref)
    assert provider.id is not None
    stored = _stored(session, provider.id, scheme_key, lot)
    if stored is None:
        return None
    text = ports.keyring.application.open(stored.sealed, about=_about(provider, scheme_key, lot)).decode()
    return RateCard.from_json(text.rstrip(" "))


def _stored(session: Session, provider_id: int, scheme_key: str, lot: str) -> StoredRateCard | None:
    query = select(StoredRateCard).where(
        col(StoredRateCard.provider_id) == provider_id,
        col(StoredRateCard.scheme) == scheme_key,
        col(StoredRateCard.lot) == lot,
    )
    return session.exec(query).first()


def _padded(card: RateCard) -> bytes:
    text = card.to_json().encode()
    if len(text) > 8 * _PADDED_TO_BYTES:
        raise BadInput("the card has too many prices", field="card")
    return text.ljust(-(-len(text) // _PADDED_TO_BYTES) * _PADDED_TO_BYTES)


def _about(provider: Provider, scheme_key: str, lot: str) -> str:
    return f"rate card {provider.ref} {scheme_key} {lot}"
