"""The letter to the person or their family, on the page and as PDF; and who asked for a package and follows it."""

from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlmodel import Session, col, select

from bidding.drafting import note_requester
from bidding.looking.arranged import arranged, contract_in_force
from bidding.referrals import referral_of
from dps.kernel.calendar import LONDON
from dps.kernel.errors import BadInput, NotFound
from web.letter_pdf import pdf_of
from web.letters import Letter, letter_of
from web.pages import names
from web.pages.forms import Form
from web.pages.guards import BROKERS
from web.pages.visit import Page, Visit
from web.security.accounts import Account, Part


class Letters(Controller):
    """A letter once a contract is there. Reading who the person is for it is recorded, so it is asked for by a form."""

    path = "/desk/referrals/{referral_ref:str}/letter"
    guards = (BROKERS,)

    @get("/", sync_to_thread=True)
    def form(self, referral_ref: FromPath[str], visit: NamedDependency[Visit]) -> Page:
        """Whom shall they call at the council?"""
        return _form(visit, referral_ref, "", {})

    @post("/", sync_to_thread=True, status_code=200)
    def write(
        self, referral_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Response[Any]:
        """The letter: to read, or as a file to print and send."""
        with visit.look() as (session, _now):
            _arranged(session, visit, referral_ref)
        try:
            letter = _letter(visit, referral_ref, form.needed("call", "say whom they call, with a telephone number"))
        except BadInput as bad:
            return _form(visit, referral_ref, form.text("call"), {"call": str(bad.reason)})
        if form.text("as") == "pdf":
            headers = {"Content-Disposition": f'attachment; filename="letter-{referral_ref}.pdf"'}
            return Response(pdf_of(letter), media_type="application/pdf", headers=headers)
        return visit.page("desk/letter.html", referral=referral_ref, letter=letter, call=form.text("call"), faults={})


class Requesters(Controller):
    """Whoever asked for a package follows it on a page of their own."""

    path = "/desk/referrals/{referral_ref:str}/requester"
    guards = (BROKERS,)

    @get("/", sync_to_thread=True)
    def form(self, referral_ref: FromPath[str], visit: NamedDependency[Visit]) -> Page:
        """Who asked for it?"""
        return _requester_form(visit, referral_ref, {})

    @post("/", sync_to_thread=True)
    def note(
        self, referral_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Response[Any]:
        """Keep it."""
        with visit.look() as (session, _now):
            referral_of(session, referral_ref, visit.actor)
            known = dict(_requesters(session, visit))
        if form.text("account") not in known:
            return _requester_form(visit, referral_ref, {"account": "choose who asked for it"})
        with visit.command() as session:
            note_requester(
                session, visit.ports, referral_ref=referral_ref, account=form.text("account"), actor=visit.actor
            )
        return visit.to(f"/desk/referrals/{referral_ref}")


def _letter(visit: Visit, referral_ref: str, call: str) -> Letter:
    with visit.look() as (session, now):
        lots = names.lots(visit.schemes(session))
        council = visit.council(session)
    with visit.command() as session:
        found = arranged(session, visit.ports, referral_ref=referral_ref, actor=visit.actor)
    return letter_of(
        council=council,
        name=found.identity.name,
        address=found.home.address or found.identity.address,
        postcode=found.home.postcode,
        today=now.astimezone(LONDON).date(),
        reference=referral_ref,
        service=lots[found.lot],
        provider=found.provider,
        provider_phone=found.phone,
        starts_on=found.starts_on,
        started_on=found.started_on,
        schedule=found.schedule,
        is_free=found.is_free,
        call=call,
    )


def _arranged(session: Session, visit: Visit, referral_ref: str) -> None:
    referral_of(session, referral_ref, visit.actor)
    if contract_in_force(session, referral_ref) is None:
        raise NotFound(kind="contract", ref=referral_ref)


def _form(visit: Visit, referral_ref: str, call: str, faults: dict[str, str]) -> Page:
    with visit.look() as (session, _now):
        _arranged(session, visit, referral_ref)
    status = 400 if faults else 200
    return visit.page("desk/letter.html", status=status, referral=referral_ref, letter=None, call=call, faults=faults)


def _requesters(session: Session, visit: Visit) -> list[tuple[str, str]]:
    """(account, name) of the authority's requesters, by name."""
    query = select(Account.ref, Account.name).where(
        Account.part == Part.REQUESTER, Account.authority == visit.actor.authority, col(Account.closed_at).is_(None)
    )
    return list(session.exec(query.order_by(col(Account.name), col(Account.id))).all())


def _requester_form(visit: Visit, referral_ref: str, faults: dict[str, str]) -> Page:
    with visit.look() as (session, _now):
        referral = referral_of(session, referral_ref, visit.actor)
        return visit.page(
            "desk/requester.html",
            status=400 if faults else 200,
            referral=referral_ref,
            requesters=_requesters(session, visit),
            chosen=referral.requested_by,
            faults=faults,
        )
