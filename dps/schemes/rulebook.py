"""The public rulebook: a scheme's rules in plain English, as Markdown, printed from the scheme itself.

Every key that applies is said (a test changes each in turn and looks for the difference), but for the demonstration,
which is no rule. What no paper says is listed as assumed, in the scheme's own words.
"""

from collections.abc import Iterable, Iterator

from dps.kernel.money import in_pounds
from dps.kernel.windows import ByWorkingDay
from dps.schemes.faults import listed
from dps.schemes.loader import rule_hash
from dps.schemes.model import (
    Admission,
    AdmissionQuestion,
    Authority,
    Closings,
    DirectAward,
    Envelope,
    Ladder,
    Locality,
    Lot,
    Mode,
    Open,
    ProviderList,
    Publication,
    Quality,
    Retention,
    Scheme,
    Stage,
)
from dps.schemes.rulebook_areas import area_contracts
from dps.schemes.rulebook_contracts import blocks, custody, payments, variations
from dps.schemes.rulebook_deciding import allocation, award, evaluation, ties
from dps.schemes.rulebook_quality import quality_of_care
from dps.schemes.wording import (
    ARRANGEMENTS,
    LEGAL_BASES,
    MODES,
    NATIONS,
    REACHES,
    SHAPES,
    URGENCIES,
    at_least,
    at_most,
    bullets,
    count,
    day_words,
    plain,
    table,
    within,
    word,
    words,
)


def rulebook(scheme: Scheme) -> str:
    """The whole rulebook in Markdown, ending in a newline."""
    parts: tuple[Iterable[str], ...] = (
        _head(scheme),
        _buyers(scheme),
        _admission(scheme.admission),
        _quality(scheme.quality),
        *(_lot(lot) for lot in scheme.lots),
        _localities(scheme.localities, scheme.bordering_lads),
        _lists(scheme),
        *(_ladder(ladder, scheme) for ladder in scheme.ladders),
        _closings(scheme.closings),
        evaluation(scheme.evaluation),
        allocation(scheme.allocation),
        ties(scheme.ties),
        award(scheme.award),
        _unfilled(scheme.unfilled, scheme.direct_award),
        _publication(scheme.publication),
        _retention(scheme.retention),
        variations(scheme.variations),
        payments(scheme.payments),
        blocks(scheme.blocks),
        area_contracts(scheme.area_contracts),
        custody(scheme.custody),
        quality_of_care(scheme),
    )
    return "\n".join("\n".join(part) + "\n" for part in parts)


def _head(scheme: Scheme) -> Iterator[str]:
    yield f"# {plain(scheme.name)}"
    yield ""
    yield f"The published rules of scheme `{scheme.key}`. Their fingerprint is `{rule_hash(scheme)}`."
    yield f"Source: {plain(scheme.source)}. On screens the scheme is shown in the colour {scheme.colour}."
    yield ""
    yield "## What is assumed"
    yield ""
    yield from bullets(scheme.assumed, "Nothing: every rule below is taken from the source.")


def _buyers(scheme: Scheme) -> Iterator[str]:
    yield "## Who buys, under which law, and when"
    yield ""
    yield from (f"- {_authority(authority)}" for authority in scheme.authorities)
    ends = f"ends before {day_words(scheme.term.ends)}" if scheme.term.ends else "has no end date"
    yield f"- Legal basis: {LEGAL_BASES[scheme.legal_basis]}."
    yield f"- The term starts on {day_words(scheme.term.starts)} and {ends}. Nothing is published outside it."
    yield from (f"- It was reopened to new providers on {day_words(day)}." for day in scheme.term.reopened)
    yield (
        f"- Working days are Monday to Friday, {scheme.hours.opens:%H:%M} to {scheme.hours.closes:%H:%M}, "
        f"without the bank holidays of {NATIONS[scheme.nation]}."
    )


def _authority(authority: Authority) -> str:
    districts = f", districts {listed(authority.lads)}" if authority.lads else ""
    return f"{plain(authority.name)} (`{authority.key}`{districts})"


def _admission(admission: Admission) -> Iterator[str]:
    yield "## Joining"
    yield ""
    window = f"from day {admission.day} of %s, for {count(admission.days_open, 'day')}"
    match admission.opening:
        case "always":
            yield "- Applications are open at any time."
        case "monthly":
            yield f"- Applications are open every month, {window % 'the month'}."
        case "quarterly":
            yield f"- Applications are open once a quarter, {window % 'January, April, July and October'}."
    yield f"- An application is decided within {count(admission.decision_working_days, 'working day')}."
    if admission.base_asked:
        yield "- A provider has a registered location in the buyers' districts; a stage may reach across the border."
    else:
        yield "- No base in the area is asked for."
    kinds = [ARRANGEMENTS[kind] for kind in admission.arrangements]
    yield f"- Providers supply by themselves{f', or together as {listed(kinds)}' if kinds else ''}."
    yield f"- Documents asked for: {words(admission.documents)}."
    yield from (f"- Question `{question.key}`: {_question(question)}" for question in admission.questions)


def _question(question: AdmissionQuestion) -> str:
    said = f"{plain(question.text)} Answered with {question.kind.replace('_', ' or ')}."
    if question.flag_above is not None:
        said += f" An answer above {question.flag_above} is put before the officer who decides."
    if question.flag_when is not None:
        said += f" The answer {'yes' if question.flag_when else 'no'} is put before the officer who decides."
    return said


def _quality(quality: Quality) -> Iterator[str]:
    yield "## What a regulator's rating is worth"
    yield ""
    rows = [
        (rating.replace("_", " "), str(score), "yes" if rating in quality.accepted else "no")
        for rating, score in quality.scores.items()
    ]
    yield from table(("rating", "score out of 100", "invited"), rows)
    yield ""
    yield f"Invited are providers rated {listed(rating.replace('_', ' ') for rating in quality.accepted)}."


def _lot(lot: Lot) -> Iterator[str]:
    yield f"## Lot: {plain(lot.name)} (`{lot.key}`)"
    yield ""
    yield from (f"- {_envelope(envelope)}" for envelope in lot.envelopes)
    if lot.offer_pence_per_hour is not None:
        yield f"- Where it is offered for acceptance, it is offered at {in_pounds(lot.offer_pence_per_hour)} an hour."
    yield f"- The least visit is {lot.visits.least_minutes} minutes."
    for task, minutes in lot.visits.shorter_tasks.items():
        yield f"- A visit for {word(task)} may take {minutes} minutes."
    yield f"- Skills asked for: {words(lot.skills)}. Documents asked for besides: {words(lot.documents)}."
    if lot.paid_by_nhs:
        yield "- The NHS pays for it: it is bought under the NHS's own regulations, and costs the person nothing."
    if lot.sets_budget:
        weeks = count(lot.budget_weeks, "week")
        yield f"- Each request sets outcomes and a budget for up to {weeks}; ongoing support follows."


def _envelope(envelope: Envelope) -> str:
    floor, ceiling = in_pounds(envelope.floor_pence_per_hour), in_pounds(envelope.ceiling_pence_per_hour)
    since = f" from {day_words(envelope.starts)}" if envelope.starts else ""
    zone = f" in {listed(f'`{key}`' for key in envelope.localities)}" if envelope.localities else ""
    return f"A lawful price is from {floor} to {ceiling} for each carer-hour{since}{zone}."


def _localities(localities: tuple[Locality, ...], bordering_lads: tuple[str, ...]) -> Iterator[str]:
    yield "## Localities"
    yield ""
    rows = [
        (
            f"{plain(one.name)} (`{one.key}`)",
            ", ".join(one.districts + one.sectors),
            ", ".join(one.neighbours) or "none",
            day_words(one.live_from) if one.live_from else "the start",
        )
        for one in localities
    ]
    yield from table(("locality", "postcode districts and sectors", "neighbours", "live from"), rows)
    if bordering_lads:
        yield ""
        yield f"Across the border lie the districts {listed(bordering_lads)}."


def _lists(scheme: Scheme) -> Iterator[str]:
    yield "## Lists of providers"
    yield ""
    for one in scheme.lists:
        is_published = "published" if one.published else "not published"
        yield f"- {plain(one.name)} (`{one.key}`), {is_published}: {_shape(one)}."


def _shape(one: ProviderList) -> str:
    most = f", at most {one.most} in each locality" if one.most is not None else ""
    return f"for each lot {SHAPES[one.shape]}{most}"


def _ladder(ladder: Ladder, scheme: Scheme) -> Iterator[str]:
    lots = listed(f"`{key}`" for key in ladder.lots)
    urgencies = listed(URGENCIES[urgency] for urgency in ladder.urgencies)
    yield f"## Who is asked, in which order: {lots}; {urgencies}"
    yield ""
    for place, stage in enumerate(ladder.stages, start=1):
        yield f"{place}. **{plain(stage.name)}** (`{stage.key}`): {_stage(stage, scheme)}"
    # There is one end today; a second would be said by its own words.
    yield f"{len(ladder.stages) + 1}. Then the package is {ladder.ends}: see below."


def _stage(stage: Stage, scheme: Scheme) -> str:
    names = {one.key: one.name for one in scheme.lists}
    asked = listed(f"{plain(names.get(key, key))} (`{key}`)" for key in stage.lists)
    speed = ", although this is no crisis" if stage.speed_permitted else ""
    if stage.mode is Mode.RANKED_OFFER:
        clock = f"Each answers {within(stage.window)} of being asked, or the next is."
    elif stage.closing == "published":
        clock = f"It closes at the first published closing that leaves {at_least(stage.window)}."
    elif isinstance(stage.window, ByWorkingDay):
        clock = f"It closes {stage.window.words()}."
    else:
        clock = f"It closes {stage.window.words()} after it opens."
    earlier = "Those asked before stay in." if stage.keeps_earlier else "Those asked before are out."
    return f"asked are {asked}, {REACHES[stage.reach]}; {MODES[stage.mode]}{speed}. {clock} {earlier}"


def _closings(closings: Closings) -> Iterator[str]:
    yield "## Published closings"
    yield ""
    times = (
        f"at {listed(f'{wall:%H:%M}' for wall in closings.times)} on every working day" if closings.times else "never"
    )
    yield f"Standard rounds close together {times}, and stay open for {at_least(closings.minimum)}."
    yield ""
    yield (
        "A bid that was received a second before its closing, or earlier, and was not kept is recorded as the "
        "council's loss, not the bidder's. As long as no bid of that closing is open, the council may ask everybody "
        "invited again: what was handed in stands unless it is replaced. The opening waits for that decision "
        f"{at_most(closings.wait_after_loss)}."
    )


def _unfilled(unfilled: Open, direct_award: DirectAward) -> Iterator[str]:
    yield "## Packages that nobody took, and awards without a competition"
    yield ""
    yield f"- The ladder starts again {within(unfilled.restart)}."
    if unfilled.open_list:
        yield "- Meanwhile they stand on the open list, where any eligible provider may offer at any time."
    else:
        yield "- There is no open list."
    otherwise = words(unfilled.placed_otherwise)
    yield f"- They may be placed otherwise, with a price, a reason and an approver: {otherwise}."
    yield f"- Reasons for an award without a competition, each recorded: {words(direct_award.reasons)}."


def _publication(publication: Publication) -> Iterator[str]:
    yield "## What providers see of a person"
    yield ""
    yield (
        f"With fewer than {publication.full_from_referrals} referrals in twelve months only locality, lot and schedule "
        f"are published. No published combination fits fewer than {publication.smallest_group} people."
    )


def _retention(retention: Retention) -> Iterator[str]:
    yield "## How long people are kept"
    yield ""
    yield (
        f"Who was cared for is erased {retention.served_months} months after the last day of care, who never was "
        f"{retention.unserved_months} months after the last step of their referral. Nobody is erased while they are "
        "served or a provider is sought. What was bought and paid stays, and names nobody."
    )
