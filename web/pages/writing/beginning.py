"""A new referral: who, where, what. The draft is written with the third answer.

Until there is a draft, what was typed travels in the page itself, in POST bodies alone: a person is not stored before
somebody has said where they live and what they need.
"""

from dataclasses import replace
from typing import Any, ClassVar

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from sqlmodel import col, select

from bidding import drafting
from bidding.referrals import Referral
from dps.kernel.actors import Role
from dps.kernel.calendar import LONDON
from dps.kernel.errors import BadInput, NotFound, PersonKnown
from dps.packages.facts import Confidential, PackageFacts
from dps.packages.identity import Identity, age_band
from dps.packages.packages import Package
from dps.packages.persons import Person, refuse_unborn
from web.pages.forms import Form
from web.pages.visit import Page, Visit
from web.pages.writing import sections
from web.pages.writing.doors import Doors
from web.pages.writing.sections import BEGINNING
from web.pages.writing.showing import chosen_scheme, step_of, step_page


class Beginning(Controller):
    """The pages before there is a draft. Whoever may write one names its path, its guard and its `doors`."""

    doors: ClassVar[Doors]

    @get("/", sync_to_thread=True)
    def begin(self, visit: NamedDependency[Visit], scheme: FromQuery[str] = "") -> Page:
        """Who needs care?"""
        return step_page(visit, self.doors, "person", {"scheme": scheme}, {})

    @post("/{step:str}", sync_to_thread=True, status_code=200)
    def answer(self, step: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]) -> Response[Any]:
        """One answer more; after the last the draft stands."""
        if step not in BEGINNING:
            raise NotFound(kind="page", ref=step)
        if form.text("back"):
            return step_page(visit, self.doors, form.text("back"), form.fields, {})
        try:
            return self._answered(visit, step, form)
        except PersonKnown as known:
            last = _of_person(visit, str(known.facts["ref"]))
            return step_page(visit, self.doors, "person", form.fields, {"nhs_number": self.doors.known}, known=last)
        except BadInput as bad:
            faults = sections.faults_on(step, bad)
            return step_page(visit, self.doors, step_of(next(iter(faults))) or step, form.fields, faults)

    def _answered(self, visit: Visit, step: str, form: Form) -> Response[Any]:
        with visit.look() as (session, now):
            scheme = chosen_scheme(visit, session, form.text("scheme"))
        identity = sections.identity_of(form)
        refuse_unborn(identity, now)
        if step == "person":
            return step_page(visit, self.doors, "home", form.fields, {})
        postcode, locality = sections.postcode_of(form, scheme)
        if step == "home":
            return step_page(visit, self.doors, "service", form.fields, {})
        lot, urgency = sections.service_of(form, scheme)
        address = form.text("address")
        with visit.command() as session:
            today = visit.ports.clock.read(session).astimezone(LONDON).date()
            referral, _, _ = drafting.begin(
                session,
                visit.ports,
                identity=_at_home(identity, str(postcode), address),
                facts=PackageFacts(
                    scheme=scheme.key,
                    lot=lot,
                    urgency=urgency,
                    locality=locality,
                    sector=postcode.sector,
                    age_band=age_band(identity.date_of_birth, today),
                ),
                confidential=Confidential(postcode=str(postcode), address=address, access=form.text("access")),
                scheme=scheme,
                actor=visit.actor,
            )
            ref = referral.ref
        return visit.to(f"{self.doors.section(ref, 'week')}?onward=yes")


def _of_person(visit: Visit, person_ref: str) -> str | None:
    """The last referral of somebody who is known, for a broker to copy; requesters are not told of it."""
    if visit.actor.role is not Role.BROKER:
        return None
    with visit.look() as (session, _now):
        query = (
            select(Referral.ref)
            .join(Package, col(Package.id) == col(Referral.package_id))
            .join(Person, col(Person.id) == col(Package.person_id))
            .where(Person.ref == person_ref, Referral.authority == visit.actor.authority)
            .order_by(col(Referral.id).desc())
        )
        return session.exec(query).first()


def _at_home(identity: Identity, postcode: str, address: str) -> Identity:
    return replace(identity, postcode=postcode, address=address)
