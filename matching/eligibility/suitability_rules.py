"""Rules about being the right provider: base, quality, documents, skills, what it accepts, when and how it works."""

from matching.eligibility.candidate import NOT_RATED, Candidate
from matching.eligibility.need import Need
from matching.eligibility.reason import Reason, no_because


def has_no_base_in_area(need: Need, candidate: Candidate) -> Reason | None:
    """The stage asks for a registered location in the area, or across the border where it reaches so far."""
    if need.base_lads is None or not need.base_lads.isdisjoint(candidate.lads):
        return None
    is_across = not need.bordering_lads.isdisjoint(candidate.lads)
    return no_because("no_base_in_area", ("is_across_the_border", is_across))


def has_no_accepted_rating(need: Need, candidate: Candidate) -> Reason | None:
    """Of the locations that count for this need, at least one carries a rating that the scheme accepts.

    Those in the area count; a provider that has none there is judged by all it has, and by "not rated" if it has none
    at all. What "not rated" is worth is the scheme's to say.
    """
    accepted = need.accepted_ratings
    if accepted is None or candidate.ratings <= accepted:
        return None
    inside = {place.rating for place in candidate.locations if need.base_lads is None or place.lad in need.base_lads}
    ratings = inside or {place.rating for place in candidate.locations} or {NOT_RATED}
    if not accepted.isdisjoint(ratings):
        return None
    return no_because("rating_not_accepted", ("ratings", tuple(sorted(ratings))))


def lacks_a_document(need: Need, candidate: Candidate) -> Reason | None:
    """A required document was never given."""
    if need.required_documents <= candidate.current_documents:
        return None
    missing = need.required_documents.difference(candidate.documents)
    return no_because("document_missing", ("kinds", tuple(sorted(missing)))) if missing else None


def has_an_expired_document(need: Need, candidate: Candidate) -> Reason | None:
    """A required document was given and its last good day is past."""
    if need.required_documents <= candidate.current_documents:
        return None
    held = need.required_documents.intersection(candidate.documents)
    expired = held - candidate.current_documents
    if not expired:
        return None
    first = min(day for kind in expired if (day := candidate.documents[kind]) is not None)
    return no_because("document_expired", ("kinds", tuple(sorted(expired))), ("expired_on", first))


def lacks_a_skill(need: Need, candidate: Candidate) -> Reason | None:
    """The package needs a skill that the provider has not stated."""
    if need.skills <= candidate.skills:
        return None
    return no_because("skill_missing", ("skills", tuple(sorted(need.skills - candidate.skills))))


def does_not_accept_a_flag(need: Need, candidate: Candidate) -> Reason | None:
    """Something at the address (smoker, pets, equipment, behaviour) that the provider does not accept."""
    if need.flags <= candidate.accepted_flags:
        return None
    return no_because("flag_not_accepted", ("flags", tuple(sorted(need.flags - candidate.accepted_flags))))


def is_closed_at_these_hours(need: Need, candidate: Candidate) -> Reason | None:
    """A visit falls outside the hours in which the provider works."""
    if need.visit_hours is None or candidate.service_hours is None or candidate.service_hours.covers(need.visit_hours):
        return None
    asked, served = need.visit_hours, candidate.service_hours
    visits = (("visits_from", asked.start), ("visits_to", asked.end))
    return no_because("outside_service_hours", *visits, ("serves_from", served.start), ("serves_to", served.end))


def sends_too_few_carers(need: Need, candidate: Candidate) -> Reason | None:
    """The visits take two carers at once and the provider sends one."""
    if need.carers_needed <= candidate.most_carers:
        return None
    return no_because("too_few_carers", ("carers_needed", need.carers_needed))
