"""The call sheet: whom to ring, what was said, and a bid typed while its provider is on the telephone."""

from collections.abc import Mapping
from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from sqlmodel import select

from bidding.bids.content import ExceptionalReason
from bidding.bids.preparing import preview, terms_of
from bidding.calls import CALLED_ABOUT, CallOutcome, call_sheet, note_phone, open_round_of, record_call
from bidding.looking.office import referrals
from bidding.referrals import Referral, referral_of
from bidding.rounds import Round, RoundState
from dps.kernel.actors import Actor, Role
from dps.kernel.errors import BadInput, InvalidBid, NotFound
from dps.register.providers import Provider
from web.pages import names
from web.pages.forms import Form, Values
from web.pages.guards import BROKERS, DESK
from web.pages.portal.bidding import content_of, placed
from web.pages.visit import Page, Visit
from web.security.sessions import new_token


class Calls(Controller):
    """Ringing providers about one referral."""

    path = "/desk/referrals/{referral_ref:str}/calls"

    @get("/", guards=[DESK], sync_to_thread=True)
    def sheet(self, referral_ref: FromPath[str], visit: NamedDependency[Visit], sealed: FromQuery[str] = "") -> Page:
        """Everybody who is asked, with their last answer and every call; `sealed` is whose bid was typed just now."""
        return _sheet(visit, referral_ref, {}, {}, sealed=sealed)

    @post("/", guards=[BROKERS], sync_to_thread=True)
    def note(
        self, referral_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Response[Any]:
        """How a call ended, and the number under which they were reached."""
        with visit.look() as (session, _now):
            referral_of(session, referral_ref, visit.actor)
        provider, outcome, phone = form.text("provider"), form.text("outcome"), form.text("phone")
        try:
            if outcome and outcome not in set(CallOutcome):
                raise BadInput("choose how the call ended", field="outcome")
            if not outcome and not phone:
                raise BadInput("choose how the call ended, or note a number", field="outcome")
            with visit.command() as session:
                round_ref, actor = form.text("round"), visit.actor
                if outcome:
                    ended = CallOutcome(outcome)
                    record_call(
                        session, visit.ports, round_ref=round_ref, provider=provider, outcome=ended, actor=actor
                    )
                if phone:
                    note_phone(session, visit.ports, round_ref=round_ref, provider=provider, phone=phone, actor=actor)
        except BadInput as bad:
            faults = {f"{bad.field}-{provider}": str(bad.reason)}
            return _sheet(visit, referral_ref, {f"outcome-{provider}": outcome, f"phone-{provider}": phone}, faults)
        return visit.to(f"/desk/referrals/{referral_ref}/calls#{provider}")


class TelephoneBids(Controller):
    """A bid that a provider dictates. Who types it can't decide that round; it counts once the provider confirms it."""

    path = "/desk/rounds/{round_ref:str}/telephone/{provider_ref:str}"
    guards = (BROKERS,)

    @get("/", sync_to_thread=True)
    def form(self, round_ref: FromPath[str], provider_ref: FromPath[str], visit: NamedDependency[Visit]) -> Page:
        """What the provider says."""
        start = self._start(visit, round_ref, provider_ref)
        return _form(visit, round_ref, provider_ref, {"once": new_token(), "starts_on": start}, {})

    def _start(self, visit: Visit, round_ref: str, provider_ref: str) -> str:
        with visit.look() as (session, now):
            open_round_of(session, round_ref, visit.actor)
            told = terms_of(session, round_ref=round_ref, actor=_as_told(visit, provider_ref), now=now)
        start = told.earliest_start or told.latest_start
        return start.isoformat() if start else ""

    @post("/", sync_to_thread=True, status_code=200)
    def type_in(
        self,
        round_ref: FromPath[str],
        provider_ref: FromPath[str],
        visit: NamedDependency[Visit],
        form: NamedDependency[Form],
    ) -> Response[Any]:
        """Check it aloud, then seal it; the provider is asked at once to confirm it."""
        with visit.look() as (session, now):
            open_round_of(session, round_ref, visit.actor)
            told = _as_told(visit, provider_ref)
            content, faults = content_of(form, terms_of(session, round_ref=round_ref, actor=told, now=now))
            if content is None:
                return _form(visit, round_ref, provider_ref, form.fields, faults)
            comes_to = preview(session, round_ref=round_ref, content=content, actor=told, now=now)
            if comes_to.problems:
                return _form(visit, round_ref, provider_ref, form.fields, placed(comes_to.problems))
            if not form.text("read_aloud"):
                return _form(visit, round_ref, provider_ref, form.fields, {}, weekly_pence=comes_to.weekly_pence)
        request = {
            "rounds": [round_ref],
            "content": content,
            "actor": visit.actor,
            "provider": provider_ref,
            "idempotency_key": form.needed("once", "load the form again"),
        }
        try:
            visit.installation.intake.submit(**request)
        except InvalidBid as invalid:
            return _form(visit, round_ref, provider_ref, form.fields, placed(invalid.problems))
        with visit.look() as (session, _now):
            referral = _referral_of(session, round_ref)
        return visit.to(f"/desk/referrals/{referral}/calls?sealed={provider_ref}")


def _as_told(visit: Visit, provider: str) -> Actor:
    """Who the rules are asked for: the provider that speaks."""
    return Actor(ref=visit.actor.ref, role=Role.PROVIDER, provider=provider)


def _referral_of(session: Any, round_ref: str) -> str:
    query = select(Referral.ref).join(Round, Round.referral_id == Referral.id).where(Round.ref == round_ref)  # type: ignore[arg-type]
    found: str = session.exec(query).one()
    return found


def _sheet(
    visit: Visit, referral_ref: str, values: Mapping[str, str], faults: Mapping[str, str], *, sealed: str = ""
) -> Page:
    with visit.look() as (session, _now):
        found = referrals(session, visit.actor, ref=referral_ref)
        if not found:
            raise NotFound(kind="referral", ref=referral_ref)
        round_, lines = call_sheet(session, referral_ref=referral_ref, actor=visit.actor)
        return visit.page(
            "desk/calls.html",
            status=400 if faults else 200,
            referral=found[0],
            round=round_,
            is_open=round_ is not None and round_.state is RoundState.PUBLISHED,
            takes_bids=round_ is not None and round_.closing_id is not None,
            is_urgent=found[0].urgency in CALLED_ABOUT,
            lines=lines,
            outcomes=[str(one) for one in CallOutcome],
            sealed=next((one.name for one in lines if one.provider == sealed), ""),
            values=Values(values),
            faults=faults,
            is_broker=visit.actor.role is Role.BROKER,
            places=names.places(visit.schemes(session)),
        )


def _form(
    visit: Visit,
    round_ref: str,
    provider_ref: str,
    values: Mapping[str, str],
    faults: Mapping[str, str],
    *,
    weekly_pence: int | None = None,
) -> Page:
    with visit.look() as (session, now):
        round_ = open_round_of(session, round_ref, visit.actor)
        terms = terms_of(session, round_ref=round_ref, actor=_as_told(visit, provider_ref), now=now)
        return visit.page(
            "desk/telephone.html",
            status=400 if faults else 200,
            round=round_,
            referral=_referral_of(session, round_ref),
            provider=provider_ref,
            name=session.exec(select(Provider.name).where(Provider.ref == provider_ref)).one(),
            terms=terms,
            values=Values(values),
            faults=faults,
            exceptional_reasons=list(ExceptionalReason),
            weekly_pence=weekly_pence,
            places=names.places(visit.schemes(session)),
        )
