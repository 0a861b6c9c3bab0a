"""What either side begins with a running contract: a flex, another week, another first day, a failed start, the end."""

from collections.abc import Callable
from datetime import date
from typing import Annotated, Any

from litestar import Controller, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct, to_builtins
from sqlmodel import Session

from bidding import aftercare
from dps.contracts.contracts import Contract
from dps.contracts.reasons import (
    Averted,
    ChangeReason,
    EndReason,
    FailureReason,
    FlexChange,
    FlexOutcome,
    FlexReason,
)
from dps.contracts.standing import find_contract
from dps.contracts.variations import flexing, rescheduling
from dps.contracts.variations.ending import end_contract
from dps.contracts.variations.flexing import FlexWanted
from dps.contracts.variations.records import find_variation
from dps.contracts.variations.rescheduling import WeekWanted
from dps.packages.schedule import parse_schedule
from dps.schemes.model import Scheme
from dps.schemes.published import standing_scheme
from web.api.guards import APPROVER, BROKER, EITHER_SIDE, PROVIDER
from web.api.once import Answer, Write
from web.api.shapes import Moved, Words

Key = Annotated[str, Meta(max_length=40)]


class Flex(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """More minutes of one carer a day for some days. `group`, `begun_by` and `circumstances` are the scheme's words."""

    from_day: date
    days: Annotated[int, Meta(ge=1, le=366)]
    extra_minutes_a_day: Annotated[int, Meta(ge=1, le=1440)]
    group: Key
    begun_by: Key
    reason: FlexReason
    changed: FlexChange
    circumstances: Annotated[list[Key], Meta(max_length=20)] = []
    note: Words | None = None


class FlexReport(Struct, forbid_unknown_fields=True):
    """The monitoring form at the end of a flex."""

    outcome: FlexOutcome
    averted: Averted


class Week(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """The week from a day on, a line for each kind of visit, as `Mon-Sun 07:30-09:30 45m personal_care`."""

    schedule: Annotated[list[Annotated[str, Meta(max_length=200)]], Meta(min_length=1, max_length=50)]
    from_day: date
    reason: ChangeReason
    note: Words | None = None

    def wanted(self) -> WeekWanted:
        return WeekWanted(
            schedule=parse_schedule(";".join(self.schedule)),
            from_day=self.from_day,
            reason=self.reason,
            note=self.note,
        )


class StartDay(Struct, forbid_unknown_fields=True):
    """Another day for the first visit."""

    starts_on: date


class FailedStart(Struct, forbid_unknown_fields=True):
    """Why care never began."""

    reason: FailureReason


class End(Struct, forbid_unknown_fields=True):
    """Why care ended, and its last day, which is past or today."""

    reason: EndReason
    last_day: date


class Beginnings(Controller):
    """Changes of one contract; what its scheme does not allow is refused with every reason."""

    path = "/contracts/{ref:str}"
    tags = ("Contracts",)

    @post("/flexes", guards=[PROVIDER], sync_to_thread=True, status_code=201)
    def flex(self, ref: FromPath[str], data: JSONBody[Flex], write: NamedDependency[Write]) -> Moved:
        """Begin a flex: agreed at once within the weekly limit, above it waiting for an approver's signature."""
        wanted = FlexWanted(
            from_day=data.from_day,
            days=data.days,
            extra_minutes_a_day=data.extra_minutes_a_day,
            group=data.group,
            begun_by=data.begun_by,
            reason=data.reason,
            changed=data.changed,
            circumstances=data.circumstances,
            note=data.note,
        )
        return _begun(write, ref, data, flexing.flex, lambda: wanted)

    @post("/proposals", guards=[PROVIDER], sync_to_thread=True, status_code=201)
    def propose(self, ref: FromPath[str], data: JSONBody[Week], write: NamedDependency[Write]) -> Moved:
        """Propose another week after an own review; the council decides."""
        return _begun(write, ref, data, rescheduling.propose, data.wanted)

    @post("/reductions", guards=[PROVIDER], sync_to_thread=True, status_code=201)
    def reduce(self, ref: FromPath[str], data: JSONBody[Week], write: NamedDependency[Write]) -> Moved:
        """Reduce the week as a trusted assessor; the council is told."""
        return _begun(write, ref, data, rescheduling.reduce_as_assessor, data.wanted)

    @post("/increases", guards=[BROKER], sync_to_thread=True, status_code=201)
    def increase(self, ref: FromPath[str], data: JSONBody[Week], write: NamedDependency[Write]) -> Moved:
        """Let a package grow within the scheme's tolerance, without a competition."""
        return _begun(write, ref, data, rescheduling.increase, data.wanted)

    @post("/start-day", guards=[EITHER_SIDE], sync_to_thread=True, status_code=200)
    def move_start(self, ref: FromPath[str], data: JSONBody[StartDay], write: NamedDependency[Write]) -> Moved:
        """Agree another day for the first visit, once."""
        return _moved(write, ref, data, aftercare.move_start, starts_on=data.starts_on)

    @post("/failed-start", guards=[EITHER_SIDE], sync_to_thread=True, status_code=200)
    def fail_to_start(self, ref: FromPath[str], data: JSONBody[FailedStart], write: NamedDependency[Write]) -> Moved:
        """Say that care never began; the package is brokered again at once."""
        return _moved(write, ref, data, aftercare.fail_to_start, reason=data.reason)

    @post("/end", guards=[BROKER], sync_to_thread=True, status_code=200)
    def end(self, ref: FromPath[str], data: JSONBody[End], write: NamedDependency[Write]) -> Moved:
        """End a contract with its last day of care; the provider's hours are free again."""
        return _moved(write, ref, data, end_contract, reason=data.reason, last_day=data.last_day)


class Flexes(Controller):
    """What follows a flex."""

    path = "/variations/{ref:str}"
    tags = ("Contracts",)

    @post("/signature", guards=[APPROVER], sync_to_thread=True, status_code=200)
    def sign(self, ref: FromPath[str], write: NamedDependency[Write]) -> Moved:
        """Sign a flex above the weekly limit: from then on it counts."""
        return _changed(write, ref, None, flexing.sign_flex)

    @post("/report", guards=[PROVIDER], sync_to_thread=True, status_code=200)
    def report(self, ref: FromPath[str], data: JSONBody[FlexReport], write: NamedDependency[Write]) -> Moved:
        """Say what came of a flex that is over."""
        return _changed(write, ref, data, flexing.report_flex, outcome=data.outcome, averted=data.averted)


def _begun(write: Write, ref: str, data: Struct, command: Callable[..., Any], wanted: Callable[[], object]) -> Moved:
    """Begin a variation and answer with its reference."""

    def run(session: Session) -> Answer:
        contract, scheme = _under_rules(session, write, ref)
        made = command(
            session, write.ports, contract_ref=contract.ref, scheme=scheme, wanted=wanted(), actor=write.actor
        )
        return {"ref": made.ref, "state": str(made.state)}

    return Moved(**write.once(run, to_builtins(data)))


def _moved(write: Write, ref: str, data: Struct, command: Callable[..., object], **more: Any) -> Moved:
    """Move the contract itself and answer with the state that it is in."""

    def run(session: Session) -> Answer:
        contract, _ = _under_rules(session, write, ref)
        command(session, write.ports, contract_ref=contract.ref, actor=write.actor, **more)
        return {"ref": ref, "state": str(find_contract(session, ref, actor=write.actor).state)}

    return Moved(**write.once(run, to_builtins(data)))


def _changed(write: Write, ref: str, data: Struct | None, command: Callable[..., object], **more: Any) -> Moved:
    def run(session: Session) -> Answer:
        command(session, write.ports, variation_ref=ref, actor=write.actor, **more)
        return {"ref": ref, "state": str(find_variation(session, ref, actor=write.actor)[0].state)}

    return Moved(**write.once(run, to_builtins(data)))


def _under_rules(session: Session, write: Write, ref: str) -> tuple[Contract, Scheme]:
    contract = find_contract(session, ref, actor=write.actor)
    return contract, standing_scheme(session, contract.scheme)
