"""What the synthetic providers can take: their standing by the rules, their free hours, and what they serve.

Kept in the register's and the ledger's own records, which no database holds, so that eligibility is asked of them as
in life. Each Monday a provider declares its free hours and sets its take limit anew. Hours that are bought in a block
come on top of them, as in the register.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from bidding.asking import visit_hours
from bidding.standing import Taken, candidate
from dps.contracts.standing import TIE_WINDOW
from dps.kernel.calendar import LONDON
from dps.packages.packages import Package
from dps.packages.schedule import Schedule
from dps.register.capacity import WHOLE_AUTHORITY, Ledger, LedgerFlag
from dps.register.limits import LimitPart
from dps.register.membership import MembershipState
from dps.register.standing import LocationStanding, MembershipStanding, ProviderStanding
from dps.schemes.model import Scheme
from matching.eligibility import Candidate, Need
from web.demo.blocks import block_of
from web.demo.market import ALL_FLAGS, Market, asked_lists
from web.demo.provider import SyntheticProvider
from web.demo.seating import seated
from web.simulation.chance import Chance

_SPREAD = 0.25
_ALWAYS = timedelta(days=4000)
_ON_NARROW_LISTS = 0.3


@dataclass
class Provider:
    """One provider under one rule set. `taken` is what it was awarded since Monday, by the award's name."""

    ref: str
    number: int
    who: SyntheticProvider
    memberships: tuple[MembershipStanding, ...]
    ledger: dict[str, dict[str, Ledger]]
    documents: Mapping[str, date | None]
    taken: dict[str, Taken] = field(default_factory=dict)


@dataclass
class Block:
    """Hours a week that its holder is paid for, used or not; `used_minutes` serve somebody, or are offered."""

    holder: str
    authority: str
    lot: str
    locality: str
    weekly_minutes: int
    weekly_pence: int
    used_minutes: int = 0

    def has_room_for(self, package: Package) -> bool:
        """Whether it is for this package's buyer, lot and place, and has as many unused minutes as it needs."""
        place = (package.authority, package.lot, package.locality)
        unused = self.weekly_minutes - self.used_minutes
        return (self.authority, self.lot, self.locality) == place and unused >= (package.weekly_minutes or 0)


class Supply:
    """All providers by reference, in the order of the register."""

    def __init__(self, scheme: Scheme, market: Market, chance: Chance, begins: datetime) -> None:
        self.scheme, self.chance = scheme, chance
        self.skills = frozenset(skill for lot in scheme.lots for skill in lot.skills)
        kinds = {*scheme.admission.documents, *(kind for lot in scheme.lots for kind in lot.documents)}
        papers: dict[str, date | None] = dict.fromkeys(sorted(kinds))
        held = zip(market.drawn, _lists_held(scheme, market, chance), strict=True)
        seating = seated(scheme, [replace(who, lists=lists) for who, lists in held], ALL_FLAGS)
        self.providers = {
            f"P{number:03d}": Provider(
                ref=f"P{number:03d}",
                number=number,
                who=who,
                memberships=_memberships(who, begins),
                ledger={one.key: {WHOLE_AUTHORITY: _row(one.key, begins)} for one in scheme.authorities},
                documents=papers,
            )
            for number, who in enumerate(seating.providers, start=1)
        }
        self.blocks = tuple(_blocks(scheme, seating.providers))
        self.usual_minutes = {ref: who.minutes for ref, who in zip(self.providers, market.drawn, strict=True)}
        self.serving: dict[tuple[str, str], int] = {}
        self._agreed: deque[tuple[datetime, tuple[str, str], int]] = deque()
        self._won: dict[tuple[str, str], int] = {}
        self._narrowed: dict[
            frozenset[tuple[str, str, str]], list[tuple[Provider, tuple[MembershipStanding, ...]]]
        ] = {}
        self.near: dict[str, list[str]] = {place.key: [] for place in scheme.localities}
        for one in self.providers.values():
            for place in one.who.localities:
                self.near[place].append(one.ref)

    # Free hours

    def declare(self, week: int) -> None:
        """Everybody's free hours of this week: the usual ones in the first, then more or fewer as it comes."""
        for one in self.providers.values():
            swing = 1.0 if week == 0 else max(self.chance.normal(1.0, _SPREAD, "free hours", one.number, week), 0.0)
            share = round(one.who.minutes * swing) // len(one.ledger)
            for rows in one.ledger.values():
                rows[WHOLE_AUTHORITY].declared_minutes = share
            one.taken.clear()

    def reserve(
        self, ref: str, award: str, package: Package, starts_on: date, now: datetime, *, block: Block | None = None
    ) -> bool:
        """Hold the hours of an offer, out of a block where it is for one; False where they are not free any more."""
        minutes = package.weekly_minutes or 0
        if block is not None:
            if not block.has_room_for(package):
                return False
            block.used_minutes += minutes
        else:
            row = self._row(ref, package)
            if row.free_minutes(now, is_full=False) < minutes:
                return False
            row.reserved_minutes += minutes
        hours = visit_hours(Schedule.from_dict(package.schedule))
        taken = Taken(locality=package.locality, minutes=minutes, hours=hours, starts_on=starts_on)
        self.providers[ref].taken[award] = taken
        return True

    def release(self, ref: str, award: str, package: Package, *, block: Block | None = None) -> None:
        if block is not None:
            block.used_minutes -= package.weekly_minutes or 0
        else:
            self._row(ref, package).reserved_minutes -= package.weekly_minutes or 0
        self.providers[ref].taken.pop(award, None)

    def commit(self, ref: str, package: Package, now: datetime, *, block: Block | None = None) -> None:
        """The reserved hours are served from now on, and are no longer free; a block's were never declared."""
        minutes = package.weekly_minutes or 0
        if block is None:
            row = self._row(ref, package)
            row.reserved_minutes -= minutes
            row.declared_minutes = max((row.declared_minutes or 0) - minutes, 0)
        place = ref, package.locality
        self.serving[place] = self.serving.get(place, 0) + minutes
        self._won[place] = self._won.get(place, 0) + minutes
        self._agreed.append((now, place, minutes))

    def end(self, ref: str, package: Package, *, block: Block | None = None) -> None:
        """Care that ends leaves the caseload: a block's hours are unused at once, others come with a declaration."""
        if block is not None:
            block.used_minutes -= package.weekly_minutes or 0
        place = ref, package.locality
        self.serving[place] -= package.weekly_minutes or 0
        if not self.serving[place]:
            del self.serving[place]

    def _row(self, ref: str, package: Package) -> Ledger:
        return self.providers[ref].ledger[package.authority][WHOLE_AUTHORITY]

    def won(self, now: datetime) -> Mapping[tuple[str, str], int]:
        """Minutes agreed in the last 28 days by provider and locality: what the tie rule compares."""
        while self._agreed and self._agreed[0][0] <= now - TIE_WINDOW:
            _, place, minutes = self._agreed.popleft()
            self._won[place] -= minutes
        return self._won

    # As eligibility sees them

    def members(self, need: Need, package: Package, now: datetime) -> list[Candidate]:
        """Those with a place on a list that is asked, for this lot and within reach, in the register's order."""
        if need.keys not in self._narrowed:
            self._narrowed[need.keys] = [
                (one, held)
                for one in self.providers.values()
                if (held := tuple(place for place in one.memberships if place.place in need.keys))
            ]
        week = package.latest_start or now.astimezone(LONDON).date()
        return [self._candidate(one, held, package.authority, week, now) for one, held in self._narrowed[need.keys]]

    def candidates(self, refs: Sequence[str], authority: str, week: date, now: datetime) -> tuple[Candidate, ...]:
        """These providers with all that they hold."""
        return tuple(
            self._candidate(one, one.memberships, authority, week, now)
            for one in (self.providers[ref] for ref in sorted(refs))
        )

    def _candidate(
        self, one: Provider, held: tuple[MembershipStanding, ...], authority: str, week: date, now: datetime
    ) -> Candidate:
        who = one.who
        standing = ProviderStanding(
            provider_id=one.number,
            provider=one.ref,
            at=now,
            memberships=held,
            locations=(
                LocationStanding(
                    regulator_id=one.ref,
                    district=who.sector.partition(" ")[0],
                    sector=who.sector,
                    lad=who.lad,
                    rating=who.rating,
                ),
            ),
            skills=self.skills,
            accepted_flags=frozenset(who.flags),
            service_minutes=None,
            most_carers=who.most_carers,
            documents=one.documents,
            is_full=False,
            ledger=one.ledger,
            take_limit=() if who.max_packages is None else (LimitPart(packages=who.max_packages),),
        )
        monday = week - timedelta(days=week.weekday())
        return candidate(standing, self.scheme, authority=authority, taken=tuple(one.taken.values()), week=monday)


def _row(authority: str, begins: datetime) -> Ledger:
    return Ledger(
        provider_id=0,
        authority=authority,
        locality=WHOLE_AUTHORITY,
        declared_minutes=0,
        reserved_minutes=0,
        committed_minutes=0,
        ceiling_minutes=0,
        expires_at=begins + _ALWAYS,
        flag=LedgerFlag.NONE,
    )


def _memberships(who: SyntheticProvider, begins: datetime) -> tuple[MembershipStanding, ...]:
    return tuple(
        MembershipStanding(place=(name, lot, where), state=MembershipState.ACTIVE, admitted_at=begins)
        for name, localities in who.places
        for lot in who.lots
        for where in localities
    )


def _blocks(scheme: Scheme, providers: Sequence[SyntheticProvider]) -> Iterator[Block]:
    bought = block_of(scheme, providers)
    if bought is not None:
        yield Block(
            holder=f"P{bought.holder + 1:03d}",
            authority=scheme.authorities[0].key,
            lot=bought.lot,
            locality=bought.locality,
            weekly_minutes=bought.weekly_minutes,
            weekly_pence=bought.weekly_pence,
        )


def _lists_held(scheme: Scheme, market: Market, chance: Chance) -> list[tuple[str, ...]]:
    """Who is on which list: whoever stands on the narrow lists of the ground does so under other rules too.

    Everybody is on the list that is asked last. Where the ground has a single list, three in ten are drawn.
    """
    drawn_for, asked = asked_lists(market.scheme), asked_lists(scheme)

    def is_on_all(number: int, who: SyntheticProvider) -> bool:
        if len(drawn_for) > 1:
            return len(who.lists) > 1
        return chance.share("narrow lists", number) < _ON_NARROW_LISTS

    return [tuple(asked) if is_on_all(number, who) else (asked[-1],) for number, who in enumerate(market.drawn)]
