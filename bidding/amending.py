"""What is asked for changes after publication: a new version, or a correction on which no bid rests."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session

from bidding.awards.records import live_award
from bidding.closings import Closing, ExtensionReason, least_end
from bidding.deadline import extend
from bidding.fit import measure_anew
from bidding.offers import lapse_open_offers
from bidding.otherwise.records import Lapse, lapse_placement
from bidding.referrals import Referral, ReferralState, locked_referral
from bidding.rounds import Round, RoundState, current_round, invitations_of
from bidding.stages import published_part_of
from bidding.ties import FACT, is_tied_to_asked, tell_of_tie
from dps.kernel import audit
from dps.kernel.actors import Actor
from dps.kernel.database import locked_one
from dps.kernel.errors import BadInput, CannotAmend, TooLate
from dps.kernel.outbox import post
from dps.kernel.ports import Ports
from dps.packages import amendments
from dps.packages.facts import Confidential, FreeText, PackageFacts
from dps.packages.packages import Package
from dps.schemes.model import Scheme
from dps.schemes.stored import rules_by_hash


def amend(
    session: Session,
    ports: Ports,
    *,
    referral_ref: str,
    facts: PackageFacts,
    actor: Actor,
    free_text: FreeText | None = None,
    confidential: Confidential | None = None,
    edition: str | None = None,
) -> int:
    """Change what is asked for after publication: a new version, everybody told, and bids lapse unless reconfirmed.

    The window keeps its published minimum: where less is left, the whole closing moves. Returns the new version.
    CannotAmend once a bid may have been opened or while an award is under way; TooLate at the closing's instant.
    """
    referral = locked_referral(session, referral_ref, actor)
    if referral.state not in _AMENDABLE or referral.rule_hash is None:
        raise CannotAmend(ref=referral.ref, reason=f"it is {referral.state}")
    round_ = _locked_round(session, referral)
    now = ports.clock.read(session)
    if live_award(session, referral.id) is not None:
        raise CannotAmend(ref=referral.ref, reason="an award of it is under way")
    if round_.state is RoundState.CLOSED:
        raise CannotAmend(ref=referral.ref, reason="its bids are being opened")
    if round_.state is RoundState.PUBLISHED and round_.closes_at is not None and now >= round_.closes_at:
        raise TooLate(closes_at=round_.closes_at, now=now)
    scheme = rules_by_hash(session, referral.rule_hash)
    package = session.get_one(Package, referral.package_id)
    if (facts.lot, facts.locality, facts.urgency) != (package.lot, package.locality, package.urgency):
        raise BadInput("another lot, locality or urgency is another referral: withdraw this one", field="lot")
    changed = amendments.amend(
        session,
        ports.keyring,
        package,
        facts=facts,
        confidential=confidential,
        free_text=free_text,
        edition=edition,
        scheme=scheme,
        actor=actor,
        now=now,
    )
    referral.version = changed.version
    session.add(referral)
    lapse_open_offers(session, referral, now)
    lapse_placement(session, ports, referral, now, Lapse.AMENDED)
    if round_.state is RoundState.PUBLISHED:
        round_.version = changed.version
        before, round_.published_part = round_.published_part, published_part_of(session, package, scheme, now)
        session.add(round_)
        session.flush()
        measure_anew(session, round_, before)
        is_tied = is_tied_to_asked(session, actor, referral)
        body = {"version": changed.version, "changed": list(changed.changed), **(FACT if is_tied else {})}
        audit.append(session, round_.stream, "round.amended", actor, now, body)
        _tell_invited(session, ports, round_, "referral_amended", now)
        _keep_minimum(session, ports, round_, referral, scheme, actor, now)
        if is_tied:
            tell_of_tie(session, ports, referral, now)
    return changed.version


def tell_correction(
    session: Session, ports: Ports, referral: Referral, changed: Sequence[str], actor: Actor, now: datetime
) -> None:
    """A correction on which no bid rests: what providers see is renewed, and everybody asked is told, nothing more."""
    found = current_round(session, referral.id)
    if found is None or found.state is not RoundState.PUBLISHED or referral.rule_hash is None:
        return
    round_ = _locked_round(session, referral)
    package, scheme = session.get_one(Package, referral.package_id), rules_by_hash(session, referral.rule_hash)
    before, round_.published_part = round_.published_part, published_part_of(session, package, scheme, now)
    session.add(round_)
    session.flush()
    measure_anew(session, round_, before)
    audit.append(session, round_.stream, "round.corrected", actor, now, {"changed": list(changed)})
    _tell_invited(session, ports, round_, "referral_corrected", now)


_AMENDABLE = (ReferralState.SEEKING, ReferralState.HELD, ReferralState.UNFILLED)


def _locked_round(session: Session, referral: Referral) -> Round:
    """The latest round, locked; before it the closing that it waits for, in the order in which closings are closed."""
    found = current_round(session, referral.id)
    assert found is not None
    if found.closing_id is not None and found.state is RoundState.PUBLISHED:
        locked_one(session, Closing, found.closing_id)
    return locked_one(session, Round, found.id)


def _keep_minimum(
    session: Session, ports: Ports, round_: Round, referral: Referral, scheme: Scheme, actor: Actor, now: datetime
) -> None:
    """Move the closing where less is left than providers are to have (`closings.least_end`)."""
    closing = session.get(Closing, round_.closing_id) if round_.closing_id else None
    least = least_end(referral.stages[round_.stage_no], scheme, now)
    if closing is not None and closing.closes_at < least:
        extend(
            session,
            ports,
            closing_ref=closing.ref,
            until=least,
            reason=ExtensionReason.REFERRAL_AMENDED,
            actor=actor,
            is_due=True,
        )


def _tell_invited(session: Session, ports: Ports, round_: Round, kind: str, now: datetime) -> None:
    for invitation in invitations_of(session, round_.id):
        recipient = f"provider:{invitation.provider}"
        post(session, ports.entropy, recipient=recipient, kind=kind, about=round_.ref, now=now)
