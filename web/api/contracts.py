"""Contracts, what changes in them, and what they are paid: for the systems of both sides."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any

from litestar import Controller, Request, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import Meta, Struct
from sqlmodel import Session

from bidding import aftercare
from bidding.looking.answered import SeenContract, contracts
from dps.contracts.reasons import HandBackReason, QueryReason
from dps.contracts.statements import moving
from dps.contracts.statements.records import Statement, StatementState, find_statement, statements_seen
from dps.contracts.variations import rescheduling
from dps.contracts.variations.records import Variation, find_variation, history
from dps.kernel.actors import Actor
from dps.kernel.errors import NotFound
from web.api.guards import APPROVER, BROKER, PARTIES, PROVIDER
from web.api.once import Answer, Write
from web.api.shapes import Moved, Reason
from web.assembly import Installation


class FirstVisit(Struct, forbid_unknown_fields=True):
    """When care began."""

    first_visit_on: date


class HandBack(Struct, forbid_unknown_fields=True):
    """A contract given back, and the last day on which the provider still serves."""

    reason: HandBackReason
    last_day: date


@dataclass(frozen=True, slots=True)
class SeenVariation:
    """One change of a contract, whatever became of it."""

    variation: str
    kind: str
    state: str
    from_day: date
    last_day: date | None
    reason: str
    weekly_minutes: int | None
    weekly_pence: int | None
    extra_minutes_a_day: int | None
    pence_a_day: int | None

    @classmethod
    def of(cls, row: Variation) -> "SeenVariation":
        return cls(
            variation=row.ref,
            kind=str(row.kind),
            state=str(row.state),
            from_day=row.from_day,
            last_day=row.last_day,
            reason=row.reason,
            weekly_minutes=row.weekly_minutes,
            weekly_pence=row.weekly_pence,
            extra_minutes_a_day=row.extra_minutes_a_day,
            pence_a_day=row.pence_a_day,
        )


@dataclass(frozen=True, slots=True)
class SeenStatement:
    """What is paid for a period; `lines` carry the working of each amount."""

    statement: str
    state: str
    provider: str
    scheme: str
    lot: str
    locality: str
    first_day: date
    last_day: date
    pence: int
    chargeable_pence: int
    made_at: datetime
    paid_at: datetime | None
    queried_because: str | None
    lines: list[dict[str, Any]]

    @classmethod
    def of(cls, row: Statement, *, with_lines: bool) -> "SeenStatement":
        return cls(
            statement=row.ref,
            state=str(row.state),
            provider=row.provider,
            scheme=row.scheme,
            lot=row.lot,
            locality=row.locality,
            first_day=row.first_day,
            last_day=row.last_day,
            pence=row.pence,
            chargeable_pence=row.chargeable_pence,
            made_at=row.made_at,
            paid_at=row.paid_at,
            queried_because=row.queried_because,
            lines=list(row.lines) if with_lines else [],
        )


class Contracts(Controller):
    """To a provider its own contracts, to an office those of its authority."""

    path = "/contracts"
    tags = ("Contracts",)

    @get("/", guards=[PARTIES], sync_to_thread=True)
    def seen(
        self,
        request: Request[Actor, Any, Any],
        installation: NamedDependency[Installation],
        after: FromQuery[str | None] = None,
    ) -> list[SeenContract]:
        """Contracts in the order they were agreed, a hundred at a time."""
        with installation.database.reading() as session:
            return contracts(session, request.user, after=after)

    @get("/{ref:str}", guards=[PARTIES], sync_to_thread=True)
    def one(
        self, ref: FromPath[str], request: Request[Actor, Any, Any], installation: NamedDependency[Installation]
    ) -> SeenContract:
        """One contract."""
        with installation.database.reading() as session:
            return _contract(session, ref, request.user)

    @get("/{ref:str}/variations", guards=[PARTIES], sync_to_thread=True)
    def variations(
        self, ref: FromPath[str], request: Request[Actor, Any, Any], installation: NamedDependency[Installation]
    ) -> list[SeenVariation]:
        """Every change of a contract, whatever became of it."""
        with installation.database.reading() as session:
            return [SeenVariation.of(row) for row in history(session, ref, actor=request.user)]

    @post("/{ref:str}/start", guards=[PROVIDER], sync_to_thread=True, status_code=200)
    def start(self, ref: FromPath[str], data: JSONBody[FirstVisit], write: NamedDependency[Write]) -> Moved:
        """Record the first visit, of today or earlier."""

        def command(session: Session) -> Answer:
            day = data.first_visit_on
            aftercare.start_contract(session, write.ports, contract_ref=ref, first_visit_on=day, actor=write.actor)
            return {"ref": ref, "state": _contract(session, ref, write.actor).state}

        return Moved(**write.once(command, data.first_visit_on.isoformat()))

    @post("/{ref:str}/hand-back", guards=[PROVIDER], sync_to_thread=True, status_code=200)
    def hand_back(self, ref: FromPath[str], data: JSONBody[HandBack], write: NamedDependency[Write]) -> Moved:
        """Give a contract back; its package is brokered again at once, while care goes on until the last day."""

        def command(session: Session) -> Answer:
            aftercare.hand_back(
                session, write.ports, contract_ref=ref, reason=data.reason, last_day=data.last_day, actor=write.actor
            )
            return {"ref": ref, "state": _contract(session, ref, write.actor).state}

        return Moved(**write.once(command, [str(data.reason), data.last_day.isoformat()]))


class Variations(Controller):
    """Decisions on what a provider proposed."""

    path = "/variations"
    tags = ("Contracts",)

    @get("/{ref:str}", guards=[PARTIES], sync_to_thread=True)
    def one(
        self, ref: FromPath[str], request: Request[Actor, Any, Any], installation: NamedDependency[Installation]
    ) -> SeenVariation:
        """One change."""
        with installation.database.reading() as session:
            return SeenVariation.of(find_variation(session, ref, actor=request.user)[0])

    @post("/{ref:str}/agreement", guards=[BROKER], sync_to_thread=True, status_code=200)
    def agree(self, ref: FromPath[str], write: NamedDependency[Write]) -> Moved:
        """Agree to a proposal; the contract's week changes from its day on."""
        return _changed(write, ref, rescheduling.agree)

    @post("/{ref:str}/refusal", guards=[BROKER], sync_to_thread=True, status_code=200)
    def refuse(self, ref: FromPath[str], data: JSONBody[Reason], write: NamedDependency[Write]) -> Moved:
        """Refuse it, and say why."""
        return _changed(write, ref, rescheduling.refuse, words=data.reason)

    @post("/{ref:str}/withdrawal", guards=[PROVIDER], sync_to_thread=True, status_code=200)
    def withdraw(self, ref: FromPath[str], write: NamedDependency[Write]) -> Moved:
        """Take an own proposal back before it was decided."""
        return _changed(write, ref, rescheduling.withdraw)


class Statements(Controller):
    """To a provider its own statements, to an office those of its authority."""

    path = "/statements"
    tags = ("Statements",)

    @get("/", guards=[PARTIES], sync_to_thread=True)
    def seen(
        self,
        request: Request[Actor, Any, Any],
        installation: NamedDependency[Installation],
        in_state: FromQuery[StatementState | None] = None,
        skip: FromQuery[Annotated[int, Meta(ge=0, le=1_000_000)]] = 0,
    ) -> list[SeenStatement]:
        """Statements, the earliest first, without their lines, a hundred at a time."""
        with installation.database.reading() as session:
            rows = statements_seen(session, actor=request.user, state=in_state)
            return [SeenStatement.of(row, with_lines=False) for row in rows[skip : skip + 100]]

    @get("/{ref:str}", guards=[PARTIES], sync_to_thread=True)
    def one(
        self, ref: FromPath[str], request: Request[Actor, Any, Any], installation: NamedDependency[Installation]
    ) -> SeenStatement:
        """One statement, with the working of each line."""
        with installation.database.reading() as session:
            return SeenStatement.of(find_statement(session, ref, actor=request.user), with_lines=True)

    @post("/{ref:str}/agreement", guards=[PROVIDER], sync_to_thread=True, status_code=200)
    def agree(self, ref: FromPath[str], write: NamedDependency[Write]) -> Moved:
        """Agree to the figures."""
        return _stated(write, ref, moving.agree_statement)

    @post("/{ref:str}/query", guards=[PROVIDER], sync_to_thread=True, status_code=200)
    def query(
        self, ref: FromPath[str], write: NamedDependency[Write], reason: FromQuery[QueryReason] = QueryReason.OTHER
    ) -> Moved:
        """Say that the figures are not right, and what is wrong with them."""
        return _stated(write, ref, moving.query_statement, reason=reason)

    @post("/{ref:str}/withdrawal", guards=[BROKER], sync_to_thread=True, status_code=200)
    def withdraw(self, ref: FromPath[str], write: NamedDependency[Write]) -> Moved:
        """Take an unpaid statement back; its days may be stated again."""
        return _stated(write, ref, moving.withdraw_statement)

    @post("/{ref:str}/payment", guards=[APPROVER], sync_to_thread=True, status_code=200)
    def pay(self, ref: FromPath[str], write: NamedDependency[Write]) -> Moved:
        """Record the payment of an agreed statement, by somebody who did not make it."""
        return _stated(write, ref, moving.pay_statement)


def _contract(session: Session, ref: str, actor: Actor) -> SeenContract:
    found = contracts(session, actor, ref=ref)
    if not found:
        raise NotFound(kind="contract", ref=ref)
    return found[0]


def _changed(write: Write, ref: str, command: Any, **more: Any) -> Moved:
    def run(session: Session) -> Answer:
        command(session, write.ports, variation_ref=ref, actor=write.actor, **more)
        return {"ref": ref, "state": str(find_variation(session, ref, actor=write.actor)[0].state)}

    return Moved(**write.once(run, more.get("words")))


def _stated(write: Write, ref: str, command: Any, **more: Any) -> Moved:
    def run(session: Session) -> Answer:
        moved = command(session, write.ports, statement_ref=ref, actor=write.actor, **more)
        return {"ref": ref, "state": str(moved.state)}

    return Moved(**write.once(run, more.get("reason")))
