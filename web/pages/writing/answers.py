"""Check answers: what stands in a referral, a line for each page, without what is under the person's key. Pure."""

from datetime import date

from bidding.looking.drafted import Drafted
from dps.kernel.money import in_pounds
from dps.law.bases import NHS, nhs_basis
from web.pages.names import Names
from web.pages.wording import age_band, count, day, hours, plain

Answer = tuple[str, str, str]
"""The section, what it is about, and what was said."""

_NOTHING = "Not said yet"


def written_down(draft: Drafted, lots: Names, places: Names, today: date) -> list[Answer]:
    """Every page with its answer, in the order in which they are asked."""
    facts = draft.facts
    return [
        ("person", "Person", _given(draft, "date_of_birth", "nhs_number", "phone", "contact")),
        ("home", "Home", f"{places[facts.locality]}, {facts.sector}. {_given(draft, 'address')}"),
        ("service", "Service", f"{lots[facts.lot]}, {plain(facts.urgency).lower()}"),
        ("week", "Week", _week(draft)),
        ("start", "Start", _start(draft)),
        ("needs", "Needs", _needs(draft)),
        ("words", "Words", _words(draft)),
        ("funding", "Who pays", _funding(draft, today)),
        ("providers", "Providers asked for", _providers(draft)),
    ]


def _given(draft: Drafted, *fields: str) -> str:
    """Which confidential facts are there, by name: they are opened on their own page alone."""
    there = [plain(field) if number == 0 else plain(field).lower() for number, field in enumerate(fields)
             if field in draft.identity_given]  # fmt: skip
    words = ", ".join(there).replace("nhs number", "NHS number").replace("Nhs number", "NHS number")
    return f"{words[:1].upper()}{words[1:]} given" if words else "Name alone given" if len(fields) > 1 else _NOTHING


def _week(draft: Drafted) -> str:
    week = draft.facts.schedule
    if week is None:
        return _NOTHING
    said = f"{count(week.weekly_visits, 'visit')}, {hours(week.weekly_minutes)} a week"
    return f"{said} (provisional)" if draft.facts.schedule_is_provisional else said


def _start(draft: Drafted) -> str:
    facts = draft.facts
    if facts.latest_start is None:
        return _NOTHING
    until = f"by {day(facts.latest_start)}"
    return f"From {day(facts.earliest_start)}, {until}" if facts.earliest_start else until[:1].upper() + until[1:]


def _needs(draft: Drafted) -> str:
    facts = draft.facts
    if facts.needs is None or facts.flags is None:
        return _NOTHING
    skills = ", ".join(plain(need) for need in sorted(facts.needs)) or "No special skills"
    flags = ", ".join(plain(flag) for flag in sorted(facts.flags)) or "nothing to know beforehand"
    return f"{skills}; {flags}; age {age_band(facts.age_band)}"


def _words(draft: Drafted) -> str:
    if draft.words is None:
        return "Erased"
    if not draft.words.given:
        return _NOTHING
    return "Written, and found to name nobody" if draft.are_words_confirmed else "Written, not confirmed yet"


def _funding(draft: Drafted, today: date) -> str:
    """Who pays; of the NHS's money also under which regulations it is spent, chosen or by the day."""
    facts = draft.facts
    basis = nhs_basis(today) if facts.funding == NHS else facts.legal_basis
    said = plain(facts.funding) + (f"; bought under: {plain(basis)}" if basis else "")
    if facts.budget_pence is None:
        return said
    weeks = f" for {count(facts.budget_weeks, 'week')}" if facts.budget_weeks else ""
    return f"{said}, {in_pounds(facts.budget_pence)}{weeks}"


def _providers(draft: Drafted) -> str:
    asked = [one for one in (draft.facts.existing_provider, draft.facts.preferred_provider) if one]
    return ", ".join(asked) or "None"
