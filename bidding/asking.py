"""What a package asks for, put in the terms of eligibility and of bids; and the answers, in words.

Eligibility is asked four times: when a stage opens (everything), when a bid comes in and when it closes (standing
only: nobody suspended or removed may take part), and when an award is offered (law 5).
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from sqlmodel import Session

from bidding.bids.content import Asked
from bidding.first_visit import days_left
from bidding.in_play import usage
from bidding.referrals import Referral
from bidding.rounds import Round
from bidding.standing import candidates, with_unused_hours
from dps.kernel.calendar import LONDON
from dps.kernel.database import find_all
from dps.kernel.errors import NotFound, Refused
from dps.kernel.money import Band, PriceBasis, RateCard
from dps.packages.exclusions import excluded_by_person
from dps.packages.packages import Package
from dps.packages.schedule import Schedule
from dps.register.blocks import Block, blocks_of
from dps.register.holds import unused_minutes
from dps.register.providers import ids_of
from dps.schemes.model import Rating, Reach, Scheme, Stage
from matching.eligibility import Assessment, Candidate, DaySpan, DirectRoute, Need, assess

_DAY = 24 * 60


def need_of(
    session: Session, referral: Referral, package: Package, scheme: Scheme, stage_no: int, now: datetime
) -> Need:
    """What this referral asks of a provider at this stage of its ladder."""
    excluded = excluded_by_person(session, [package.person_id]).get(package.person_id, frozenset())
    return need_at(referral.ref, package, scheme, referral.stages, stage_no, now, excluded=excluded)


def need_at(
    ref: str,
    package: Package,
    scheme: Scheme,
    stages: Sequence[Stage],
    stage_no: int,
    now: datetime,
    *,
    excluded: frozenset[str] = frozenset(),
) -> Need:
    """What a package asks at this one of its ladder's `stages`; `excluded` may not serve this person. Pure."""
    stage = stages[stage_no]
    asked_lists = [one.lists for one in (stages[: stage_no + 1] if stage.keeps_earlier else (stage,))]
    lot = scheme.lot(package.lot)
    schedule = Schedule.from_dict(package.schedule)
    return Need(
        ref=ref,
        at=now,
        lot=package.lot,
        locality=package.locality,
        lists=frozenset(key for lists in asked_lists for key in lists),
        reach=reach_of(scheme, package.locality, stage, now),
        weekly_minutes=schedule.weekly_minutes,
        carers_needed=2 if schedule.is_double_handed else 1,
        skills=frozenset(package.needs or ()) | frozenset(lot.skills),
        flags=frozenset(package.flags or ()),
        visit_hours=visit_hours(schedule),
        start_by=package.latest_start,
        required_documents=frozenset(scheme.admission.documents) | frozenset(lot.documents),
        accepted_ratings=frozenset(scheme.quality.accepted),
        area_lads=_lads(scheme) if scheme.admission.base_asked else None,
        bordering_lads=frozenset(scheme.bordering_lads),
        may_cross_border=stage.reach is Reach.BORDER,
        least_scores=scheme.recognition.least_scores if scheme.recognition else {},
        excluded_providers=excluded,
    )


def reach_of(scheme: Scheme, locality: str, stage: Stage, now: datetime) -> frozenset[str]:
    """The localities whose members a stage asks: the home one, and of the others those that have gone live."""
    today = now.astimezone(LONDON).date()
    live = {one.key for one in scheme.localities if one.live_from is None or one.live_from <= today}
    match stage.reach:
        case Reach.LOCALITY:
            return frozenset({locality})
        case Reach.NEIGHBOURS:
            return frozenset({locality, *(live & set(scheme.locality(locality).neighbours))})
        case Reach.SCHEME | Reach.BORDER:
            return frozenset({locality, *live})


def _lads(scheme: Scheme) -> frozenset[str]:
    return frozenset(lad for authority in scheme.authorities for lad in authority.lads)


def visit_hours(schedule: Schedule) -> DaySpan:
    """From the earliest start to the latest end of any visit; past midnight counts on."""
    if schedule.has_live_in:
        return DaySpan(0, _DAY)
    start = schedule.earliest.hour * 60 + schedule.earliest.minute
    end = max(
        (visit.window_end.hour * 60 + visit.window_end.minute) + (_DAY if visit.passes_midnight else 0)
        for visit in schedule.visits
    )
    return DaySpan(start, end)


def asked_of(package: Package, scheme: Scheme, at: datetime) -> Asked:
    """What a bid for this package must answer; the envelope is that of the day, and no day that is over is offered."""
    lot, day = scheme.lot(package.lot), at.astimezone(LONDON).date()
    earliest, latest = days_left(package.earliest_start, package.latest_start, day)
    return Asked(
        schedule=Schedule.from_dict(package.schedule),
        earliest_start=earliest,
        latest_start=latest,
        other_minutes_allowed=package.other_minutes_allowed,
        lot=lot,
        envelope=lot.envelope_on(day, package.locality),
        questions=scheme.evaluation.questions,
    )


def judged_by(package: Package, scheme: Scheme, at: datetime) -> Asked:
    """The same for bids that are sealed: a first visit that was in time stays so, however far a closing is moved."""
    return replace(asked_of(package, scheme, at), earliest_start=package.earliest_start)


def _assess_one(
    session: Session,
    round_: Round,
    scheme: Scheme,
    provider: str,
    now: datetime,
    *,
    at_award: bool,
    route: DirectRoute | None = None,
    leave_out: Collection[str] = (),
) -> Assessment:
    referral, package, need = _need_of_round(session, round_, scheme, now)
    if route is not None:
        need = by_route(need, scheme, route, provider)
    (candidate,) = candidates(
        session,
        scheme,
        authority=referral.authority,
        at=now,
        providers=[provider_id(session, provider)],
        # At the award the take limit was counted before: only what stands is asked.
        in_play=None if at_award else usage(session, scheme.key, provider=provider, leave_out=leave_out),
        start_week=package.latest_start,
    )
    if route is DirectRoute.BLOCK_HOURS:
        block = block_serving(session, scheme.key, package, provider)
        candidate = with_unused_hours(candidate, unused_minutes(session, block.ref) if block else 0)
    return assess(need, candidate, at_award=at_award)


def block_serving(session: Session, scheme: str, package: Package, provider: str) -> Block | None:
    """The block of this provider from which a package of this lot and locality is served, if it has one."""
    there = {"authority": package.authority, "lot": package.lot, "locality": package.locality}
    return next((one for one in blocks_of(session, scheme, **there) if one.provider == provider), None)


def assess_for_block(
    session: Session, referral: Referral, package: Package, scheme: Scheme, block: Block, now: datetime
) -> Assessment:
    """Whether a block's provider can be offered this package out of the block's unused hours."""
    need = need_of(session, referral, package, scheme, 0, now)
    (candidate,) = candidates(
        session,
        scheme,
        authority=referral.authority,
        at=now,
        providers=[block.provider_id],
        in_play=usage(session, scheme.key, provider=block.provider),
        start_week=package.latest_start,
    )
    need = by_route(need, scheme, DirectRoute.BLOCK_HOURS, block.provider)
    return assess(need, with_unused_hours(candidate, unused_minutes(session, block.ref)))


def by_route(need: Need, scheme: Scheme, route: DirectRoute, provider: str) -> Need:
    """A direct award is bound by its own reason, not by how far up the ladder the search happens to be."""
    lists, reach = (one.key for one in scheme.lists), (one.key for one in scheme.localities)
    return replace(
        need, direct_route=route, direct_to=provider, lists=frozenset(lists), reach=frozenset(reach) | need.reach
    )


def _need_of_round(session: Session, round_: Round, scheme: Scheme, now: datetime) -> tuple[Referral, Package, Need]:
    referral, package = _placed(session, round_)
    return referral, package, need_of(session, referral, package, scheme, round_.stage_no, now)


def provider_id(session: Session, ref: str) -> int:
    """The row's id of a provider's reference."""
    found = ids_of(session, [ref])
    if not found:
        raise NotFound(kind="provider", ref=ref)
    return found[0]


def assess_standing(
    session: Session,
    round_: Round,
    scheme: Scheme,
    provider: str,
    now: datetime,
    *,
    route: DirectRoute | None = None,
) -> Assessment:
    """Whether anything bars this provider for good: asked when it bids, when the round closes and when it accepts."""
    found = _assess_one(session, round_, scheme, provider, now, at_award=True, route=route)
    return replace(found, reasons=found.standing_reasons)


def assess_at_award(
    session: Session,
    round_: Round,
    scheme: Scheme,
    provider: str,
    now: datetime,
    *,
    counted: bool,
    leave_out: Collection[str] = (),
    route: DirectRoute | None = None,
) -> Assessment:
    """Whether this provider can be offered the package now.

    `counted`: an allocation has already counted the hours and limits of this very award. `leave_out`: awards that
    must not count against themselves. `route`: a direct award's own reason.
    """
    return _assess_one(session, round_, scheme, provider, now, at_award=counted, route=route, leave_out=leave_out)


def standing_in(
    session: Session, pairs: Collection[tuple[str, Round]], scheme: Scheme, now: datetime
) -> dict[tuple[str, int | None], Assessment]:
    """What bars each provider from its round for good, by (provider, round id); one look for all of them.

    Rounds and packages that this transaction has read are not read again.
    """
    by_round: dict[int, tuple[Round, list[str]]] = {}
    for provider, round_ in pairs:
        by_round.setdefault(round_.id or 0, (round_, []))[1].append(provider)
    asked = [(round_, providers, *_placed(session, round_)) for round_, providers in by_round.values()]
    excluded = excluded_by_person(session, {package.person_id for *_, package in asked}) if asked else {}
    ids = ids_of(session, {provider for provider, _ in pairs})
    known: dict[str, dict[str, Candidate]] = {}
    found: dict[tuple[str, int | None], Assessment] = {}
    for round_, providers, referral, package in asked:
        if referral.authority not in known:
            of_it = candidates(session, scheme, authority=referral.authority, at=now, providers=ids)
            known[referral.authority] = {candidate.provider: candidate for candidate in of_it}
        barred = excluded.get(package.person_id, frozenset())
        need = need_at(referral.ref, package, scheme, referral.stages, round_.stage_no, now, excluded=barred)
        for provider in providers:
            assessment = assess(need, known[referral.authority][provider], at_award=True)
            found[provider, round_.id] = replace(assessment, reasons=assessment.standing_reasons)
    return found


def barred_from(
    session: Session, pairs: Collection[tuple[str, Round]], scheme: Scheme, now: datetime
) -> set[tuple[str, int | None]]:
    """The (provider, round id) among `pairs` in which the provider may not take part any more."""
    return {pair for pair, found in standing_in(session, pairs, scheme, now).items() if found.reasons}


def _placed(session: Session, round_: Round) -> tuple[Referral, Package]:
    """The referral and the package that a round seeks a provider for."""
    referral = session.get(Referral, round_.referral_id)
    assert referral is not None
    package = session.get(Package, referral.package_id)
    assert package is not None
    return referral, package


def package_of(session: Session, round_: Round) -> Package:
    """The package that a round seeks a provider for."""
    return _placed(session, round_)[1]


def packages_of(session: Session, rounds: Collection[Round]) -> dict[int, Package]:
    """The packages of many rounds, by the round's id; two statements for all of them."""
    if not rounds:
        return {}
    referrals = {one.id: one for one in find_all(session, Referral, id={round_.referral_id for round_ in rounds})}
    ids = {referral.package_id for referral in referrals.values()}
    packages = {one.id: one for one in find_all(session, Package, id=ids)}
    return {round_.id or 0: packages[referrals[round_.referral_id].package_id] for round_ in rounds}


def offer_card(scheme: Scheme, lot: str) -> RateCard:
    """The published rate at which a lot is offered; the loader makes sure that offer modes have one."""
    pence = scheme.lot(lot).offer_pence_per_hour
    if pence is None:
        raise Refused(reason=f"{lot} has no published rate to accept")
    return RateCard.of(PriceBasis.PER_HOUR, {Band.WEEKDAY: pence})


def best_rating_score(
    session: Session, scheme: Scheme, authority: str, at: datetime, providers: Collection[str]
) -> dict[str, int]:
    """What each provider's best registered location scores by the scheme's table; no location counts as not rated."""
    if not providers:
        return {}
    scores = {str(rating): score for rating, score in scheme.quality.scores.items()}
    found = candidates(session, scheme, authority=authority, at=at, providers=ids_of(session, providers))
    return {
        candidate.provider: max(
            (scores[location.rating] for location in candidate.locations), default=scores[str(Rating.NOT_RATED)]
        )
        for candidate in found
    }
