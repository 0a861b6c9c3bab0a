"""Every rule asked of every pair, and every reason kept: nothing stops at the first "no"."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from dps.kernel.errors import BadInput
from matching.eligibility.candidate import Candidate
from matching.eligibility.need import Need
from matching.eligibility.reason import Reason
from matching.eligibility.rules import Judge, RuleKind, judges_asked, rule


@dataclass(frozen=True, slots=True)
class Assessment:
    """What the rules say of one provider for one need; `reasons` in the catalogue's order."""

    need_ref: str
    provider: str
    reasons: tuple[Reason, ...]

    @property
    def eligible(self) -> bool:
        """True if no rule that was asked bites."""
        return not self.reasons

    @property
    def may_win(self) -> bool:
        """True if no standing rule bites, whatever room the provider has."""
        return not self.standing_reasons

    @property
    def standing_reasons(self) -> tuple[Reason, ...]:
        return tuple(one for one in self.reasons if rule(one.code).kind is RuleKind.STANDING)

    @property
    def capacity_reasons(self) -> tuple[Reason, ...]:
        return tuple(one for one in self.reasons if rule(one.code).kind is RuleKind.CAPACITY)


@dataclass(frozen=True, slots=True)
class Report:
    """The assessments of all pairs, looked up by need, by provider or by both; KeyError for a reference not in it.

    Lookups answer in the order in which needs and candidates were given.
    """

    needs: tuple[str, ...]
    providers: tuple[str, ...]
    rows: tuple[tuple[tuple[Reason, ...], ...], ...]
    """One row for each need; in it, for each provider, the reasons against it."""

    _row: dict[str, int] = field(init=False, repr=False, compare=False)
    _column: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_row", _positions(self.needs, "needs"))
        object.__setattr__(self, "_column", _positions(self.providers, "candidates"))

    def of(self, need_ref: str, provider: str) -> Assessment:
        """The one assessment of this pair."""
        return Assessment(need_ref, provider, self.rows[self._row[need_ref]][self._column[provider]])

    def by_need(self, need_ref: str) -> tuple[Assessment, ...]:
        """Every provider's assessment for one need."""
        row = self.rows[self._row[need_ref]]
        return tuple(
            Assessment(need_ref, provider, reasons) for provider, reasons in zip(self.providers, row, strict=True)
        )

    def by_provider(self, provider: str) -> tuple[Assessment, ...]:
        """One provider's assessment for every need."""
        column = self._column[provider]
        return tuple(
            Assessment(need_ref, provider, row[column]) for need_ref, row in zip(self.needs, self.rows, strict=True)
        )

    def eligible_for(self, need_ref: str) -> tuple[str, ...]:
        """The providers against whom no rule speaks."""
        return tuple(one.provider for one in self.by_need(need_ref) if one.eligible)

    def reason_counts(self, need_ref: str) -> dict[str, int]:
        """How many providers each rule bars from one need, by code, in the catalogue's order of first appearance."""
        return dict(Counter(reason.code for one in self.by_need(need_ref) for reason in one.reasons))


def assess(need: Need, candidate: Candidate, *, at_award: bool = False) -> Assessment:
    """Ask one provider every rule of one need.

    With `at_award`, asked under the locks before an offer goes out, only the standing rules and "I'm full" speak: the
    ledger and the allocation hold the rest. Raises `BadInput` if the two records were made for different instants.
    """
    _refuse_other_instants((need,), (candidate,))
    reasons = _reasons(need, candidate, judges_asked(need, at_award=at_award))
    return Assessment(need.ref, candidate.provider, reasons)


def assess_all(needs: Iterable[Need], candidates: Iterable[Candidate], *, at_award: bool = False) -> Report:
    """Ask every provider every rule of every need, as `assess` does."""
    needs, candidates = tuple(needs), tuple(candidates)
    _refuse_other_instants(needs, candidates)
    rows = []
    for need in needs:
        judges = judges_asked(need, at_award=at_award)
        rows.append(tuple([_reasons(need, candidate, judges) for candidate in candidates]))
    return Report(tuple(one.ref for one in needs), tuple(one.provider for one in candidates), tuple(rows))


def _reasons(need: Need, candidate: Candidate, judges: tuple[Judge, ...]) -> tuple[Reason, ...]:
    return tuple([reason for judge in judges if (reason := judge(need, candidate)) is not None])


def _refuse_other_instants(needs: tuple[Need, ...], candidates: tuple[Candidate, ...]) -> None:
    """A record made for another instant is stale: its ends were derived from the wrong time."""
    instants = {need.at for need in needs} | {candidate.at for candidate in candidates}
    if len(instants) > 1:
        named = ", ".join(sorted(instant.isoformat() for instant in instants))
        raise BadInput(f"records made for different instants can't be assessed together: {named}", field="at")


def _positions(refs: Sequence[str], field_name: str) -> dict[str, int]:
    positions = {ref: place for place, ref in enumerate(refs)}
    if len(positions) != len(refs):
        raise BadInput("one reference is given twice", field=field_name)
    return positions
