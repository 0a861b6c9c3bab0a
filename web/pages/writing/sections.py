"""The pages of a referral, one thing each: how what is known is shown in a form, and what a form says. Pure.

`read` answers with what changes (`bidding.drafting.Wanted`); a BadInput names the field that it is about.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from bidding.drafting import Wanted
from dps.kernel.errors import BadInput
from dps.kernel.money import parse_pence
from dps.law.bases import bases_allowed
from dps.packages.facts import Confidential, Flag, FreeText, FundingStream, PackageFacts, fundings_of
from dps.packages.identity import AgeBand, Identity, age_band, parse_nhs_number
from dps.packages.readiness import Gap
from dps.packages.schedule import parse_schedule
from dps.places.localities import LocalityMap
from dps.places.postcodes import Postcode, parse
from dps.schemes.model import LegalBasis, Scheme, Urgency
from web.pages.forms import Checking, Form, faults_of

Values = dict[str, str]


@dataclass(frozen=True, slots=True)
class Known:
    """What is known so far; the confidential parts are there only where a section shows them."""

    facts: PackageFacts
    words: FreeText
    identity: Identity | None = None
    confidential: Confidential | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """One page. `is_confidential`: showing it opens what is under the person's key, and is recorded."""

    key: str
    title: str
    show: Callable[[Known], Values]
    read: Callable[[Form, Known, Scheme, date], Wanted]
    is_confidential: bool = False
    is_fixed_once_published: bool = False


# Who


def _show_person(known: Known) -> Values:
    who = known.identity
    assert who is not None
    return {
        "name": who.name,
        "date_of_birth": who.date_of_birth.isoformat() if who.date_of_birth else "",
        "nhs_number": who.nhs_number,
        "phone": who.phone,
        "contact": who.contact,
        "notes": who.notes,
    }


def identity_of(form: Form, *, postcode: str = "", address: str = "") -> Identity:
    """Who the person is, by a form's fields."""
    checking = Checking()
    with checking.of("name"):
        name = form.needed("name", "give the person's name")
    with checking.of("date_of_birth"):
        born = form.optional_day("date_of_birth")
    with checking.of("nhs_number"):
        nhs_number = parse_nhs_number(form.text("nhs_number")) if form.text("nhs_number") else ""
    checking.end()
    return Identity(
        name=name,
        date_of_birth=born,
        nhs_number=nhs_number,
        phone=form.text("phone"),
        contact=form.text("contact"),
        notes=form.text("notes"),
        postcode=postcode,
        address=address,
    )


def _read_person(form: Form, known: Known, _scheme: Scheme, today: date) -> Wanted:
    assert known.identity is not None
    identity = identity_of(form, postcode=known.identity.postcode, address=known.identity.address)
    band = age_band(identity.date_of_birth, today)
    facts = replace(known.facts, age_band=band) if band is not AgeBand.UNKNOWN else None
    return Wanted(identity=identity, facts=facts)


# Where


def _show_home(known: Known) -> Values:
    home = known.confidential
    assert home is not None
    return {"postcode": home.postcode, "address": home.address, "access": home.access}


def postcode_of(form: Form, scheme: Scheme) -> tuple[Postcode, str]:
    """The postcode of care and the locality it lies in; BadInput where this scheme buys none there."""
    postcode = parse(form.needed("postcode", "give the postcode where care is needed"))
    locality = LocalityMap(scheme.localities).of(postcode)
    if locality is None:
        raise BadInput(f"{postcode} lies in no area of {scheme.name}", field="postcode")
    return postcode, locality


def _read_home(form: Form, known: Known, scheme: Scheme, _today: date) -> Wanted:
    assert known.identity is not None
    assert known.confidential is not None
    postcode, locality = postcode_of(form, scheme)
    address = form.text("address")
    return Wanted(
        identity=replace(known.identity, postcode=str(postcode), address=address),
        confidential=replace(known.confidential, postcode=str(postcode), address=address, access=form.text("access")),
        facts=replace(known.facts, sector=postcode.sector, locality=locality),
    )


# What


def _show_service(known: Known) -> Values:
    return {"lot": known.facts.lot, "urgency": str(known.facts.urgency)}


def service_of(form: Form, scheme: Scheme) -> tuple[str, Urgency]:
    """The service and how urgent it is, by a form's fields."""
    lot, checking = form.text("lot"), Checking()
    with checking.of("lot"):
        if lot not in {one.key for one in scheme.lots}:
            raise BadInput("choose a service", field="lot")
    with checking.of("urgency"):
        urgency = form.choice(Urgency, "urgency", "choose how urgent it is")
    checking.end()
    return lot, urgency


def _read_service(form: Form, known: Known, scheme: Scheme, _today: date) -> Wanted:
    lot, urgency = service_of(form, scheme)
    facts = replace(known.facts, lot=lot, urgency=urgency)
    if not scheme.lot(lot).sets_budget:
        facts = replace(facts, budget_pence=None, budget_weeks=None)
    if facts.funding not in fundings_of(scheme.lot(lot)):
        facts = replace(facts, funding=FundingStream.UNDECIDED, legal_basis=None)
    return Wanted(facts=facts)


def _show_week(known: Known) -> Values:
    facts = known.facts
    return {
        "week": facts.schedule.text() if facts.schedule else "",
        "provisional": "yes" if facts.schedule_is_provisional else "",
    }


def _read_week(form: Form, known: Known, _scheme: Scheme, _today: date) -> Wanted:
    week = parse_schedule(form.needed("week", "add at least one visit"))
    return Wanted(facts=replace(known.facts, schedule=week, schedule_is_provisional=form.text("provisional") == "yes"))


# When


def _show_start(known: Known) -> Values:
    facts = known.facts
    return {
        "earliest_start": facts.earliest_start.isoformat() if facts.earliest_start else "",
        "latest_start": facts.latest_start.isoformat() if facts.latest_start else "",
        "other_minutes_allowed": "yes" if facts.other_minutes_allowed else "",
    }


def _read_start(form: Form, known: Known, _scheme: Scheme, _today: date) -> Wanted:
    checking = Checking()
    with checking.of("earliest_start"):
        earliest = form.optional_day("earliest_start")
    with checking.of("latest_start"):
        latest = form.day("latest_start", "give the latest day on which care must start")
    checking.end()
    return Wanted(
        facts=replace(
            known.facts,
            earliest_start=earliest,
            latest_start=latest,
            other_minutes_allowed=form.text("other_minutes_allowed") == "yes",
        )
    )


# Needs


def _show_needs(known: Known) -> Values:
    facts = known.facts
    shown = {f"need-{need}": "on" for need in facts.needs or ()} | {f"flag-{flag}": "on" for flag in facts.flags or ()}
    return {**shown, "age_band": str(facts.age_band), "was_asked": "yes" if facts.needs is not None else ""}


def _read_needs(form: Form, known: Known, _scheme: Scheme, _today: date) -> Wanted:
    more = [part.strip().lower().replace(" ", "_") for part in form.text("other_needs").split(",") if part.strip()]
    band = form.text("age_band") or AgeBand.UNKNOWN
    flags = set(form.under("flag-")) & set(Flag)
    try:
        return Wanted(
            facts=replace(
                known.facts,
                needs=frozenset([*form.under("need-"), *more]),
                flags=frozenset(map(Flag, flags)),
                age_band=AgeBand(band),
            )
        )
    except ValueError:
        raise BadInput("choose an age band", field="age_band") from None


def _show_words(known: Known) -> Values:
    return {"pen_picture": known.words.pen_picture, "outcomes": "\n".join(known.words.outcomes)}


def _read_words(form: Form, _known: Known, _scheme: Scheme, _today: date) -> Wanted:
    outcomes = tuple(line.strip() for line in form.text("outcomes").splitlines() if line.strip())
    return Wanted(free_text=FreeText(pen_picture=form.text("pen_picture"), outcomes=outcomes))


# Who pays, who serves


def _show_funding(known: Known) -> Values:
    facts = known.facts
    pence = facts.budget_pence
    return {
        "legal_basis": str(facts.legal_basis or ""),
        "funding": "" if facts.funding is FundingStream.UNDECIDED else str(facts.funding),
        "budget": f"{pence // 100}.{pence % 100:02d}" if pence is not None else "",
        "budget_weeks": str(facts.budget_weeks or ""),
    }


def _read_funding(form: Form, known: Known, scheme: Scheme, today: date) -> Wanted:
    funding = form.text("funding") or FundingStream.UNDECIDED
    if funding not in set(FundingStream):
        raise BadInput("choose who pays", field="funding")
    basis = form.text("legal_basis") if funding == FundingStream.JOINT else ""
    if basis and basis not in bases_allowed(funding, scheme.legal_basis, today):
        raise BadInput("choose under which regulations it is bought", field="legal_basis")
    facts = replace(known.facts, funding=FundingStream(funding), legal_basis=LegalBasis(basis) if basis else None)
    if scheme.lot(facts.lot).sets_budget:
        weeks = form.text("budget_weeks")
        if weeks and not weeks.isdecimal():
            raise BadInput("write the weeks as a whole number", field="budget_weeks")
        pence = parse_pence(form.text("budget"), field="budget") if form.text("budget") else None
        facts = replace(facts, budget_pence=pence, budget_weeks=int(weeks) if weeks else None)
    return Wanted(facts=facts)


def _show_providers(known: Known) -> Values:
    assert known.confidential is not None
    return {
        "existing_provider": known.facts.existing_provider or "",
        "preferred_provider": known.facts.preferred_provider or "",
        "preference_reason": known.confidential.preference_reason,
    }


def _read_providers(form: Form, known: Known, _scheme: Scheme, _today: date) -> Wanted:
    assert known.confidential is not None
    return Wanted(
        facts=replace(
            known.facts,
            existing_provider=form.text("existing_provider") or None,
            preferred_provider=form.text("preferred_provider") or None,
        ),
        confidential=replace(known.confidential, preference_reason=form.text("preference_reason")),
    )


SECTIONS: Mapping[str, Section] = {
    one.key: one
    for one in (
        Section("person", "Who needs care?", _show_person, _read_person, is_confidential=True),
        Section("home", "Where is care needed?", _show_home, _read_home, is_confidential=True),
        Section(
            "service", "Which service, and how urgent?", _show_service, _read_service, is_fixed_once_published=True
        ),
        Section("week", "Which visits make up the week?", _show_week, _read_week),
        Section("start", "When can care start, and when must it?", _show_start, _read_start),
        Section("needs", "What must the carers be able to do, and know?", _show_needs, _read_needs),
        Section("words", "What should providers read?", _show_words, _read_words),
        Section("funding", "Who pays?", _show_funding, _read_funding),
        Section("providers", "Is there a provider to ask for?", _show_providers, _read_providers, is_confidential=True),
    )
}
"""In the order in which they are asked."""

BEGINNING = ("person", "home", "service")
"""Asked before anything is written down: a draft needs a name, a place, a service and an urgency."""

WHERE: Mapping[Gap, str] = {
    Gap.SCHEDULE: "week",
    Gap.FIRM_SCHEDULE: "week",
    Gap.VISITS_LONG_ENOUGH: "week",
    Gap.LATEST_START: "start",
    Gap.START_TO_COME: "start",
    Gap.EARLIEST_START: "start",
    Gap.PEN_PICTURE: "words",
    Gap.CONFIRMED_TEXT: "words",
    Gap.NEEDS: "needs",
    Gap.FLAGS: "needs",
    Gap.AGE_BAND: "needs",
    Gap.FUNDING: "funding",
    Gap.LEGAL_BASIS: "funding",
    Gap.OUTCOMES: "words",
    Gap.BUDGET: "funding",
    Gap.BUDGET_WEEKS: "funding",
    Gap.ADDRESS: "home",
    Gap.DATE_OF_BIRTH: "person",
    Gap.PHONE_OR_CONTACT: "person",
}
"""The page on which each thing that is missing is filled in."""


def next_of(key: str) -> str | None:
    """The section after this one; None after the last."""
    keys = list(SECTIONS)
    place = keys.index(key) + 1
    return keys[place] if place < len(keys) else None


_RENAMED = {"budget_pence": "budget", "sector": "postcode", "locality": "postcode", "schedule": "week"}


def faults_on(section: str, bad: BadInput) -> dict[str, str]:
    """What a refusal says of this page, by the fields that it is shown at."""
    return {_RENAMED.get(field, field): reason for field, reason in faults_of(bad, section).items()}
