"""Sorting: who reads a message, and by which ways it leaves; decided once, where it leaves the outbox."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import cast

from sqlalchemy import text
from sqlalchemy.orm import object_session
from sqlmodel import Session, col, select

from dps.kernel.entropy import Entropy
from dps.kernel.outbox import Delivery, OutboxMessage, Postman
from dps.kernel.references import Kind, new_reference
from web.security.accounts import Account, Part
from web.sending.choices import Leaves, leaves, leaves_by_text
from web.sending.chosen import DIGEST, add_to_digest, choice_of, fits_a_filter
from web.sending.letters import GATHERED, NOBODY, SHARED, Change, Channel, Letter
from web.sending.webhooks import WebhookEndpoint

_ONE_AT_A_TIME = text("LOCK TABLE change IN SHARE ROW EXCLUSIVE MODE")

DESK = (Part.BROKER, Part.APPROVER)
LETTING = (Part.COMMISSIONER, Part.APPROVER)
REGISTER = (Part.REGISTER_OFFICER,)
_READERS: Mapping[str, Sequence[Part]] = {
    "award_to_approve": DESK,
    "award_overturned": DESK,
    "placement_to_approve": (Part.APPROVER,),
    "tied_step": (Part.APPROVER,),
    "change_proposed": DESK,
    "tender_accepted": LETTING,
    "tender_declined": LETTING,
    "tender_evaluated": LETTING,
    "flex_to_sign": (Part.APPROVER,),
    "outcomes_contested": DESK,
    "statement_agreed": (Part.APPROVER,),
    "score_appealed": (Part.COMMISSIONER,),
    "enablement_challenged": (Part.COMMISSIONER,),
    "law_due": (Part.COMMISSIONER, Part.REGISTER_OFFICER),
    "location_to_check": REGISTER,
    "application_to_decide": REGISTER,
    "document_to_check": REGISTER,
}
_OTHERS: Sequence[Part] = (Part.BROKER,)
"""At a council: what waits for a decision or a look is for those whose work it is, all else for the brokers."""

URGENT = frozenset({"award_offered", "award_won", "closing_extended", "bid_not_kept", "asked_again"})
"""What goes to a mobile telephone as well, where an account names one: an answer is due within hours."""


class Sorter:
    """The worker's postman: a line of the feed, calls to the reader's systems, letters to its people.

    It writes in the transaction that takes the message from the outbox, and sends nothing itself. `spool` is the
    demonstration's way: the message becomes a file, and nobody is written to.
    """

    def __init__(self, entropy: Entropy, *, spool: Postman | None, by_text: bool = False) -> None:
        self._entropy = entropy
        self._spool = spool
        self._by_text = by_text

    def carry(self, message: OutboxMessage) -> None:
        session = cast("Session", object_session(message))
        assert session is not None
        assert message.id is not None
        if self._spool is not None:
            self._spool.carry(message)
        if session.get_bind().dialect.name == "postgresql":
            # Numbers are given in the order in which they can be seen: a reader of the feed goes on from the last one.
            session.execute(_ONE_AT_A_TIME)
        session.add(Change(message_id=message.id, recipient=message.recipient))
        endpoints = [one for one in _endpoints(session, message.recipient) if one.wants(message.kind)]
        for endpoint in endpoints:
            self._letter(session, message, Channel.WEBHOOK, endpoint_id=endpoint.id)
        if self._spool is None:
            readers = readers_of(session, message)
            for account in readers:
                self._to_reader(session, message, account)
            if not readers and not endpoints:
                self._letter(session, message, Channel.MAIL, delivery=Delivery.GIVEN_UP, last_error=NOBODY)
        session.flush()

    def _to_reader(self, session: Session, message: OutboxMessage, account: Account) -> None:
        """As the reader chose (`choices`): a mail at once, later, in the digest or not at all; and a text message."""
        now, choice = message.not_before, choice_of(session, account.id)
        closes_at = message.facts.get("closes_at")
        end = datetime.fromisoformat(closes_at) if closes_at else None
        fits = not choice.only_saved or fits_a_filter(session, account, message, now)
        by_mail = leaves(message.kind, choice, now, closes_at=end, fits_saved=fits)
        if message.kind == DIGEST:
            by_mail = Leaves(now)
        if by_mail is not None and by_mail.in_digest:
            add_to_digest(session, self._entropy, account=account, message=message, at=by_mail.at, now=now)
        elif by_mail is not None:
            leaves_at = max(by_mail.at, now + GATHERED) if message.kind == SHARED else by_mail.at
            self._letter(session, message, Channel.MAIL, account_id=account.id, not_before=leaves_at)
        if self._by_text and account.mobile and message.kind in URGENT:
            at = leaves_by_text(message.kind, choice, now, closes_at=end)
            if at is not None:
                self._letter(session, message, Channel.TEXT, account_id=account.id, not_before=at)

    def _letter(
        self,
        session: Session,
        message: OutboxMessage,
        channel: Channel,
        *,
        account_id: int | None = None,
        endpoint_id: int | None = None,
        not_before: datetime | None = None,
        delivery: Delivery = Delivery.QUEUED,
        last_error: str | None = None,
    ) -> None:
        assert message.id is not None
        session.add(
            Letter(
                ref=new_reference(Kind.MESSAGE, self._entropy),
                message_id=message.id,
                channel=channel,
                account_id=account_id,
                endpoint_id=endpoint_id,
                not_before=not_before or message.not_before,
                delivery=delivery,
                last_error=last_error,
            )
        )


def readers_of(session: Session, message: OutboxMessage) -> Sequence[Account]:
    """The open accounts that a message is for: one, all of a provider's, or those of a council whose work it is."""
    side, _, key = message.recipient.partition(":")
    query = select(Account).where(col(Account.closed_at).is_(None)).order_by(col(Account.id))
    if side == "account":
        return session.scalars(query.where(Account.ref == key)).all()
    if side == "provider":
        return session.scalars(query.where(Account.provider == key)).all()
    parts = _READERS.get(message.kind, _OTHERS)
    return session.scalars(query.where(Account.authority == key, col(Account.part).in_(parts))).all()


def _endpoints(session: Session, recipient: str) -> Sequence[WebhookEndpoint]:
    return session.scalars(
        select(WebhookEndpoint)
        .where(WebhookEndpoint.recipient == recipient, col(WebhookEndpoint.ended_at).is_(None))
        .order_by(col(WebhookEndpoint.id))
    ).all()
