"""Many at once: one award, one deadline, one provider's hours, one bid. One effect each, a clear conflict for the rest.

The callers of a race are threads, each with a connection of its own, as the threads of web processes are. Each function
counts, and names every fault; the sampled tests and the long campaign differ in their numbers alone.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from httpx import Response
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from bidding.awards import moving
from bidding.awards.records import Award, AwardState
from bidding.bids.records import Bid
from bidding.timetable import Timetable
from dps.kernel.actors import CLOCK, Actor, Role
from dps.kernel.database import Database
from dps.kernel.errors import Conflict, NeedsSecondPerson, NoCapacity, NoSuchStep
from dps.register import holds
from dps.register.capacity import Ledger, declare
from dps.register.suspensions import RunningContracts, SuspensionScope, suspend
from dps.schemes.model import Urgency
from tests.bidding.awards.stories import ONE_PERSON, TWO_PEOPLE
from tests.faults.figures import Figure
from tests.faults.killing import Council
from tests.support.race import race
from tests.support.world import World
from tests.web.served import Caller, Served

CLEAR = (NoSuchStep, Conflict, NeedsSecondPerson)


def brokers_on_one_award(served: Served, times: int, brokers: int = 16) -> Figure:
    """So many brokers approve the same award at once over HTTP; one of them offers it."""
    world = served.world
    world.provider("Synthetic Oak", hours=100_000)
    callers = [served.broker() for _ in range(brokers)]
    found = Figure(6, f"{brokers} brokers on one award", {"awards": times})
    answers: Counter[int] = Counter()
    for award in _proposed(world, times, ONE_PERSON):
        path = f"/api/awards/{award}/approval"
        got = race([partial(caller.post, path) for caller in callers])
        statuses = Counter(_status(answer) for answer in got)
        answers.update(statuses)
        if statuses != {200: 1, 409: brokers - 1}:
            found.faults.append(f"{award}: {dict(statuses)}")
        found.faults += _wrong_offer(world, award)
    return replace(found, counted={**found.counted, "one effect": answers[200], "conflicts": answers[409]})


def approvers_of_one_award(world: World, times: int, people: int = 16) -> Figure:
    """An award that needs two people gets two approvals, whoever reads it while another writes: none is overwritten."""
    world.provider("Synthetic Oak", hours=100_000)
    found = Figure(6, f"{people} approvers, two needed", {"awards": times})
    for ref in _proposed(world, times, TWO_PEOPLE):
        said = race([partial(_approve, world, ref, f"approver-{number}") for number in range(people)])
        (award,) = world.rows(Award, Award.ref == ref)
        yes = sum(one is None for one in said)
        if len(award.approved_by) != 2 or yes != 2 or len(set(award.approved_by)) != 2:
            found.faults.append(f"{ref}: {yes} said yes, kept are {award.approved_by}")
        found.faults += [f"{ref}: {one!r}" for one in said if one is not None and not isinstance(one, CLEAR)]
    return found


def _approve(world: World, ref: str, name: str) -> None:
    actor = Actor(ref=name, role=Role.APPROVER, authority=world.authority)
    world.database.run(lambda session: moving.approve(session, world.ports, award_ref=ref, actor=actor))


def _proposed(world: World, times: int, visits: str) -> list[str]:
    """So many awards that wait for somebody's approval."""
    (provider,) = [_actor_of(world, ref) for ref in _providers(world)]
    referrals = [world.referral(urgency=Urgency.CRISIS, visits=visits) for _ in range(times)]
    for referral in referrals:
        world.bid(provider, referral, pence=1600)
    world.close(referrals[-1])
    return [world.award(referral).ref for referral in referrals]


def _providers(world: World) -> list[str]:
    with world.database.reading() as session:
        return list(session.execute(text("SELECT ref FROM provider ORDER BY id")).scalars())


def _actor_of(world: World, provider: str) -> Actor:
    return Actor(ref=f"user-{provider}", role=Role.PROVIDER, provider=provider)


def _wrong_offer(world: World, ref: str) -> list[str]:
    (award,) = world.rows(Award, Award.ref == ref)
    offers = [event for event in world.events("award.offer") if event.stream == ref]
    return [] if award.state is AwardState.OFFERED and len(offers) == 1 else [f"{ref}: {award.state}, {len(offers)}"]


def _status(answer: Response | Exception) -> int:
    return answer.status_code if isinstance(answer, Response) else 599


def sweeps(world: World, folder: Path, deadlines: int, workers: int) -> Figure:
    """Workers sweep the same overdue deadlines at once: half with bids, half without; then what they offered lapses."""
    council = Council(world, folder)
    referrals = [council.begun(bids=number % 2 == 0) for number in range(deadlines)]
    first = world.timetable
    timetables = [first, *(replace(first) for _ in range(workers - 1))]
    faults: list[str] = []
    world.clock.move_to(world.closes_at(referrals[-1]))
    for _ in range(2):
        faults += _swept(timetables)
        offered = [award.answer_by for award in world.rows(Award) if award.answer_by is not None]
        world.clock.move_to(max([*offered, world.now]))
    faults += _swept(timetables)
    counted: dict[str, int | str] = {"deadlines": deadlines, "closed once": len(world.events("closing.close"))}
    return Figure(6, f"{workers} workers at one time", counted, [*faults, *council.faults()])


def _swept(timetables: Sequence[Timetable]) -> list[str]:
    """All sweep at once, then each again until nothing is left that one had left to another."""
    said = race([timetable.sweep for timetable in timetables])
    for timetable in timetables[:1]:
        while timetable.sweep():
            pass
    return [repr(one) for one in said if isinstance(one, Exception)]


def hours(world: World, providers: int, threads: int, each: int) -> Figure:
    """Parallel awards want more hours than there are; no provider is ever promised more than it has."""
    for number in range(providers):
        world.provider(f"Synthetic {number}", hours=7)
    ids = [row.provider_id for row in world.rows(Ledger, Ledger.locality == "")]
    found = Figure(7, f"{threads} x {each} parallel awards")

    def reserve(thread: int) -> Counter[str]:
        said: Counter[str] = Counter()
        for number in range(each):
            provider_id = ids[(thread * 7 + number * 3) % len(ids)]
            try:
                world.database.run(partial(_reserve, world, provider_id, f"AWD-{thread}-{number}"))
                said["reserved"] += 1
            except NoCapacity:
                said["refused"] += 1
        return said

    answers = race([partial(reserve, thread) for thread in range(threads)])
    found.faults += [repr(one) for one in answers if isinstance(one, Exception)]
    said = sum((one for one in answers if isinstance(one, Counter)), Counter[str]())
    rows = world.rows(Ledger, Ledger.locality == "")
    over = [row.provider_id for row in rows if row.reserved_minutes + row.committed_minutes > row.ceiling_minutes]
    if sum(row.reserved_minutes for row in rows) != 180 * said["reserved"]:
        found.faults.append("what is held is not what was promised")
    found.faults += [f"provider {id_} is over its ceiling" for id_ in over]
    found.faults += _raw_sql_is_taken(world.database)
    found.faults += _lowering_and_flexing(world, ids[0])
    return replace(found, counted={"providers": providers, **said, "over their ceiling": len(over)})


def _reserve(world: World, provider_id: int, ref: str, session: Any) -> None:
    now = world.ports.clock.read(session)
    locality = world.scheme.localities[0].key
    holds.reserve(
        session,
        provider_id=provider_id,
        authority=world.authority,
        locality=locality,
        minutes=180,
        award_ref=ref,
        actor=CLOCK,
        now=now,
    )


_OVER = (
    "UPDATE capacity_ledger SET reserved_minutes = ceiling_minutes - committed_minutes + 1",
    "UPDATE capacity_ledger SET committed_minutes = ceiling_minutes - reserved_minutes + 1",
    "UPDATE capacity_ledger SET ceiling_minutes = ceiling_minutes + 1",
    "UPDATE capacity_ledger SET reserved_minutes = -1",
)


def _raw_sql_is_taken(database: Database) -> list[str]:
    """Statements that would oversell and that the database does not refuse by itself."""
    taken = []
    for statement in _OVER:
        try:
            with database.transaction() as session:
                session.execute(text(statement))
        except IntegrityError:
            continue
        taken.append(f"raw SQL was taken: {statement}")
    return taken


def _lowering_and_flexing(world: World, provider_id: int) -> list[str]:
    """A provider with promised hours declares none, and is asked for more by somebody whom it serves already."""
    with world.database.transaction() as session:
        now = world.ports.clock.read(session)
        row = declare(
            session,
            world.ports,
            provider_id=provider_id,
            authority=world.authority,
            minutes=0,
            expires_at=now + timedelta(days=30),
            actor=world.officer,
        )
        lowered = (row.ceiling_minutes, row.flag.value) == (row.reserved_minutes, "lowered")
        holds.raise_for_existing(
            session,
            provider_id=provider_id,
            authority=world.authority,
            locality=world.scheme.localities[0].key,
            minutes=60,
            ref="VAR-FLEX",
            actor=CLOCK,
            now=now,
        )
        flexed = (row.committed_minutes, row.flag.value) == (60, "raised")
    return [words for words, is_so in (("not lowered", lowered), ("not flexed", flexed)) if not is_so]


def suspended_a_moment_before(world: World, times: int) -> Figure:
    """A provider is suspended while its award is being approved: who is suspended first is offered nothing."""
    found = Figure(7, "suspended a moment before", {"awards": times})
    late = 0
    for number in range(times):
        provider = world.provider(f"Synthetic {number}", hours=1_000)
        referral = world.referral(urgency=Urgency.CRISIS, visits=ONE_PERSON)
        world.bid(provider, referral, pence=1600 + number % 2)
        world.close(referral)
        ref = world.award(referral).ref
        orders: list[Callable[[], Any]] = [
            partial(_suspend, world, world.row_of(provider).id or 0),
            partial(_approve, world, ref, "approver-1"),
        ]
        said = race(orders) if number % 2 else [order() for order in orders]
        found.faults += [repr(one) for one in said if isinstance(one, Exception) and not isinstance(one, CLEAR)]
        world.timetable.sweep()
        (award,) = world.rows(Award, Award.ref == ref)
        if award.is_live:
            found.faults.append(f"{ref} is {award.state} although its provider is suspended")
        late += award.offered_at is None
        if number % 2 == 0 and award.offered_at is not None:
            found.faults.append(f"{ref} was offered to a provider that had been suspended")
    return replace(found, counted={**found.counted, "never offered": late})


def _suspend(world: World, provider_id: int) -> None:
    world.run(
        suspend,
        provider_id=provider_id,
        scheme=world.scheme,
        scope=SuspensionScope.ALL,
        running_contracts=RunningContracts.CONTINUE,
        because="Synthetic: a safeguarding concern.",
        actor=world.officer,
    )


def identical_posts(served: Served, times: int, posts: int = 10) -> Figure:
    """One bid posted ten times at once to two web processes' applications: one bid, ten identical receipts."""
    world = served.world
    found = Figure(8, f"{posts} identical posts to two web processes", {"bids": times})
    with ExitStack() as ends:
        other_database = Database(world.database.url.render_as_string(hide_password=False))
        ends.callback(other_database.dispose)
        second = ends.enter_context(served.beside(other_database))
        provider = served.provider("Synthetic Oak", hours=1_000)
        twin = Caller(second, provider.key, provider.account)
        for number in range(times):
            referral = world.referral(urgency=Urgency.CRISIS)
            body, key = served.bid_body(referral, 1600 + number), f"bid {number}"
            callers = [provider, twin] * (posts // 2)
            got = race([partial(caller.post, "/api/bids", body, key=key) for caller in callers])
            receipts = {answer.text if isinstance(answer, Response) else repr(answer) for answer in got}
            statuses = {_status(answer) for answer in got}
            if statuses != {201} or len(receipts) != 1:
                found.faults.append(f"{referral}: {statuses}, {len(receipts)} answers")
            changed = twin.post("/api/bids", served.bid_body(referral, 1599), key=key)
            if changed.status_code != 422:
                found.faults.append(f"{referral}: the same key with another body got {changed.status_code}")
        if len(world.rows(Bid)) != times:
            found.faults.append(f"{len(world.rows(Bid))} bids of {times}")
    return found
