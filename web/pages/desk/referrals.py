"""One referral: its story, and what a broker does with it."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect
from sqlmodel import Session

from bidding import deadline, publishing
from bidding.allocation import review
from bidding.closings import ExtensionReason
from bidding.looking.arranged import contract_in_force
from bidding.looking.deciding import asked
from bidding.looking.drafted import drafted, providers_by_name
from bidding.looking.office import SeenReferral, closings, referrals, rounds, timeline
from bidding.looking.otherwise import placements
from bidding.looking.outside import open_offers
from bidding.looking.placing import awards
from bidding.looking.previewing import preview
from bidding.looking.remarked import remarks
from bidding.looking.unanswered import unanswered
from bidding.questions import waiting_about
from bidding.referrals import ReferralState, referral_of
from bidding.ties import is_open_to_see, is_tied_in_closing, is_tied_to_asked
from dps.kernel.actors import Role
from dps.kernel.calendar import LONDON
from dps.kernel.errors import BadInput, NotFound
from dps.packages import readiness
from dps.schemes.published import standing_scheme
from web.pages import names
from web.pages.forms import Checking, Form, faults_of
from web.pages.guards import BROKERS, DESK
from web.pages.rows import today_of
from web.pages.visit import Page, Visit
from web.pages.writing.answers import written_down
from web.pages.writing.sections import WHERE
from web.sending.silence import reach_of

_STEPS: dict[str, tuple[str, str, Callable[..., object]]] = {
    "hold": (
        "Put on hold",
        "The search stops for now: an open round is cancelled, its sealed bids lapse unopened, and everybody asked "
        "is told.",
        publishing.hold,
    ),
    "withdraw": (
        "Withdraw",
        "The search ends for good: an open round is cancelled, its sealed bids lapse unopened, and everybody asked "
        "is told.",
        publishing.withdraw,
    ),
}

_ASKED = {"ask_overturn": "overturn_asked", "agree_overturn": "overturn_agreed"}
"""The events of what two people have to ask for, by the step that each one's words are about."""


class Referrals(Controller):
    """The referrals of the caller's authority; nothing of the person is shown here."""

    path = "/desk/referrals"

    @get("/{referral_ref:str}", guards=[DESK], sync_to_thread=True)
    def one(self, referral_ref: FromPath[str], visit: NamedDependency[Visit]) -> Page:
        """What it asks for, where it stands, and everything that happened."""
        with visit.look() as (session, _):
            referral, own = _one(session, visit, referral_ref), referral_of(session, referral_ref, visit.actor)
            its_rounds = rounds(session, referral_ref)
            its_awards = awards(session, visit.actor, visit.ports.keyring, referral=referral_ref)
            streams = [
                referral_ref,
                referral.package,
                *(one.round for one in its_rounds),
                *(one.award for one in its_awards),
            ]
            streams += sorted({one.closing for one in its_rounds if one.closing is not None})
            said = remarks(session, visit.ports.keyring, referral_ref)
            # One transaction wrote the event and the words about it, at one instant.
            worded = {(one.about, one.at, _ASKED.get(one.step, one.step)): one for one in said}
            scheme = standing_scheme(session, referral.scheme)
            draft = drafted(session, visit.ports, referral_ref=referral_ref, scheme=scheme, actor=visit.actor)
            return visit.page(
                "desk/referral.html",
                referral=referral,
                is_left_over=review.is_left_over(session, referral_of(session, referral_ref, visit.actor)),
                part=preview(session, visit.ports, referral_ref=referral_ref, scheme=scheme, actor=visit.actor).part,
                rounds=list(reversed(its_rounds)),
                asked={one.round: asked(session, one.round) for one in its_rounds},
                reach=reach_of(session, *(one.round for one in its_rounds if one.is_unreached)),
                questions_waiting=waiting_about(session, referral_ref),
                looks=unanswered(session, referral_ref),
                said={one.about: one for one in said},
                remarks=said,
                offers=open_offers(session, referral_ref=referral_ref, actor=visit.actor),
                placements=placements(session, visit.actor, visit.ports.keyring, referral=referral_ref),
                contract=contract_in_force(session, referral_ref),
                gaps_later=[(readiness.WORDS[gap], WHERE[gap]) for gap in draft.gaps.for_confirmation],
                linked=draft.linked,
                person=draft.person,
                is_erased=draft.words is None,
                is_with_requester=draft.is_with_requester,
                is_start_over=draft.is_start_over,
                funding=draft.facts.funding,
                is_tied=is_tied_to_asked(session, visit.actor, own),
                awards=list(reversed(its_awards)),
                providers=dict(providers_by_name(session)),
                timeline=[
                    (one, worded.get((one.stream, one.at, one.what.rpartition(".")[2])))
                    for one in reversed(timeline(session, streams, rounds=[one.round for one in its_rounds]))
                ],
                is_broker=visit.actor.role is Role.BROKER,
                is_approver=visit.actor.role is Role.APPROVER,
                lots=names.lots([scheme]),
                places=names.places([scheme]),
                stages=_stages(session, visit, referral_ref),
            )

    @get("/{referral_ref:str}/publication", guards=[BROKERS], sync_to_thread=True)
    def publication_form(self, referral_ref: FromPath[str], visit: NamedDependency[Visit]) -> Page:
        """Exactly what providers will see, and what is still missing."""
        with visit.look() as (session, now):
            referral = _one(session, visit, referral_ref)
            scheme = standing_scheme(session, referral.scheme)
            seen = preview(session, visit.ports, referral_ref=referral_ref, scheme=scheme, actor=visit.actor)
            draft = drafted(session, visit.ports, referral_ref=referral_ref, scheme=scheme, actor=visit.actor)
            now_due, later = draft.gaps.for_publication, draft.gaps.for_confirmation
            return visit.page(
                "desk/publish.html",
                referral=referral,
                seen=seen,
                gaps_now=[(readiness.WORDS[gap], WHERE[gap]) for gap in now_due],
                gaps_later=[(readiness.WORDS[gap], WHERE[gap]) for gap in later if gap not in now_due],
                answers=written_down(draft, names.lots([scheme]), names.places([scheme]), today_of(now)),
                words=draft.words if draft.words and draft.words.given else None,
                are_words_confirmed=draft.are_words_confirmed,
                telltales=draft.telltales,
                edition=draft.edition,
                is_broker=True,
                lots=names.lots([scheme]),
                places=names.places([scheme]),
            )

    @post("/{referral_ref:str}/publication", guards=[BROKERS], sync_to_thread=True)
    def publish(
        self, referral_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Redirect:
        """Publish under the rules that stand: the ladder begins."""
        with visit.command() as session:
            referral = referral_of(session, referral_ref, visit.actor)
            scheme = standing_scheme(session, referral.scheme)
            if referral.state is ReferralState.DRAFT:
                publishing.make_ready(session, visit.ports, referral_ref=referral_ref, scheme=scheme, actor=visit.actor)
            publishing.publish(session, visit.ports, referral_ref=referral_ref, scheme=scheme, actor=visit.actor)
        return visit.to(f"/desk/referrals/{referral_ref}")

    @get("/{referral_ref:str}/hold", guards=[BROKERS], sync_to_thread=True)
    def hold_form(self, referral_ref: FromPath[str], visit: NamedDependency[Visit]) -> Page:
        """Why?"""
        return _reason_form(visit, referral_ref, "hold")

    @post("/{referral_ref:str}/hold", guards=[BROKERS], sync_to_thread=True)
    def hold(
        self, referral_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Response[Any]:
        """Stop seeking for now."""
        return _reasoned(visit, referral_ref, "hold", form)

    @get("/{referral_ref:str}/withdraw", guards=[BROKERS], sync_to_thread=True)
    def withdraw_form(self, referral_ref: FromPath[str], visit: NamedDependency[Visit]) -> Page:
        """Why?"""
        return _reason_form(visit, referral_ref, "withdraw")

    @post("/{referral_ref:str}/withdraw", guards=[BROKERS], sync_to_thread=True)
    def withdraw(
        self, referral_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Response[Any]:
        """End the search for good."""
        return _reasoned(visit, referral_ref, "withdraw", form)

    @post("/{referral_ref:str}/resumption", guards=[BROKERS], sync_to_thread=True)
    def resume(
        self, referral_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Redirect:
        """Seek again, from the stage at which it was held."""
        with visit.command() as session:
            publishing.resume(session, visit.ports, referral_ref=referral_ref, actor=visit.actor)
        return visit.to(f"/desk/referrals/{referral_ref}")

    @post("/{referral_ref:str}/restart", guards=[BROKERS], sync_to_thread=True)
    def restart(
        self, referral_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Redirect:
        """Ask the whole ladder of an unfilled referral again, now."""
        with visit.command() as session:
            publishing.restart_unfilled(session, visit.ports, referral_ref=referral_ref, actor=visit.actor)
        return visit.to(f"/desk/referrals/{referral_ref}")

    @post("/{referral_ref:str}/going-on", guards=[BROKERS], sync_to_thread=True)
    def go_on(
        self, referral_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Redirect:
        """Let a package go on that a search cut short had left over: to the reserves, then up the ladder."""
        with visit.command() as session:
            review.go_on(session, visit.ports, referral_ref=referral_ref, actor=visit.actor)
        return visit.to(f"/desk/referrals/{referral_ref}")


class Closings(Controller):
    """A closing that is moved later, for everybody alike."""

    path = "/desk/closings"

    @get("/{closing_ref:str}/extension", guards=[BROKERS], sync_to_thread=True)
    def extension_form(
        self,
        closing_ref: FromPath[str],
        visit: NamedDependency[Visit],
        reason: FromQuery[str] = "",
        referral: FromQuery[str] = "",
    ) -> Page:
        """Until when, and why? A page that offers more time names its reason, and the referral to go back to."""
        return _extension_form(visit, closing_ref, {"reason": reason, "referral": referral}, {})

    @post("/{closing_ref:str}/extension", guards=[BROKERS], sync_to_thread=True)
    def extend(
        self, closing_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Response[Any]:
        """Move the whole closing; everybody asked is told."""
        checking = Checking()
        try:
            with checking.of("until"):
                until = _local_instant(form.needed("until", "say until when"))
            with checking.of("reason"):
                reason = form.choice(ExtensionReason, "reason", "choose why everybody gets more time")
            checking.end()
            with visit.command() as session:
                deadline.extend(
                    session,
                    visit.ports,
                    closing_ref=closing_ref,
                    until=until,
                    reason=reason,
                    actor=visit.actor,
                )
        except BadInput as bad:
            return _extension_form(visit, closing_ref, form.fields, faults_of(bad))
        return visit.to(_back_to(visit, form.text("referral")))


def _local_instant(text: str) -> datetime:
    """A wall time of the United Kingdom, as browsers send it."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise BadInput("write date and time as 2019-03-04T15:00", field="until") from None
    return found.replace(tzinfo=LONDON) if found.tzinfo is None else found


def _one(session: Session, visit: Visit, referral_ref: str) -> SeenReferral:
    found = referrals(session, visit.actor, ref=referral_ref)
    if not found:
        raise NotFound(kind="referral", ref=referral_ref)
    return found[0]


def _stages(session: Session, visit: Visit, referral_ref: str) -> names.Names:
    """The names of the ladder's stages, as they were frozen at the first publication."""
    referral = referral_of(session, referral_ref, visit.actor)
    return names.Names({stage.key: stage.name for stage in referral.stages} if referral.ladder else {})


def _reason_form(visit: Visit, referral_ref: str, step: str, *, reason: str = "", fault: str = "") -> Page:
    title, words, _ = _STEPS[step]
    with visit.look() as (session, now):
        referral = _one(session, visit, referral_ref)
        own = referral_of(session, referral_ref, visit.actor)
        is_tied = is_tied_to_asked(session, visit.actor, own)
        schemes = visit.schemes(session)
        return visit.page(
            "desk/reason.html",
            is_tied=is_tied,
            is_barred=is_tied and is_open_to_see(session, own, now),
            status=400 if fault else 200,
            referral=referral,
            step=step,
            title=title,
            words=words,
            reason=reason,
            fault=fault,
            places=names.places(schemes),
        )


def _reasoned(visit: Visit, referral_ref: str, step: str, form: Form) -> Response[Any]:
    reason = form.text("reason")
    command = _STEPS[step][2]
    try:
        with visit.command() as session:
            command(session, visit.ports, referral_ref=referral_ref, reason=reason, actor=visit.actor)
    except BadInput as bad:
        return _reason_form(visit, referral_ref, step, reason=reason, fault=str(bad.reason))
    return visit.to(f"/desk/referrals/{referral_ref}")


def _back_to(visit: Visit, referral_ref: str) -> str:
    """The referral from which a closing was looked at, if it is one of these; else all that are open."""
    with visit.look() as (session, _now):
        is_own = referral_ref and referrals(session, visit.actor, ref=referral_ref)
    return f"/desk/referrals/{referral_ref}" if is_own else "/desk?place=seeking"


def _extension_form(visit: Visit, closing_ref: str, values: dict[str, str], faults: dict[str, str]) -> Page:
    back = _back_to(visit, values.get("referral", ""))
    with visit.look() as (session, _):
        found = closings(session, visit.actor, ref=closing_ref)
        if not found:
            raise NotFound(kind="closing", ref=closing_ref)
        local = found[0].closes_at.astimezone(LONDON)
        return visit.page(
            "desk/extend.html",
            status=400 if faults else 200,
            closing=found[0],
            until=values.get("until") or local.strftime("%Y-%m-%dT%H:%M"),
            reason=values.get("reason", ""),
            reasons=[str(one) for one in ExtensionReason],
            back=back,
            is_tied=is_tied_in_closing(session, visit.actor, closing_ref),
            referral=values.get("referral", ""),
            faults=faults,
        )
