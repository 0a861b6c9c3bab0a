"""Outcomes and quality: reviews that a provider answers, its scores and its appeals, notices and their challenges."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any

from litestar import Controller, Request, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct
from sqlmodel import Session

from dps.contracts import enablement
from dps.contracts.answers import answer_review, contract_of_review, findings
from dps.contracts.enablement import ChallengeReason, EnablementBar
from dps.contracts.outcomes import review_outcomes
from dps.contracts.quality import recognition
from dps.contracts.quality.recognition import AppealReason, QualityScore
from dps.contracts.standing import find_contract
from dps.kernel.actors import Actor
from dps.schemes.model import Scheme
from dps.schemes.published import standing_scheme
from web.api.guards import BROKER, PARTIES, PROVIDER, SCORED
from web.api.once import Answer, Write
from web.api.rules import scheme_seen
from web.api.shapes import Moved
from web.assembly import Installation


class Review(Struct, forbid_unknown_fields=True):
    """How many of a person's outcomes were met by a day. An exception is proven to an approver, at the desk."""

    met: Annotated[int, Meta(ge=0, le=100)]
    agreed: Annotated[int, Meta(ge=1, le=100)]
    last_day: date


class ReviewAnswer(Struct, forbid_unknown_fields=True):
    """What the provider says to a review; where it does not agree, an approver settles."""

    agrees: bool


class Appeal(Struct, forbid_unknown_fields=True):
    """What is wrong with a score."""

    reason: AppealReason


class Challenge(Struct, forbid_unknown_fields=True):
    """Why a notice is wrong."""

    reason: ChallengeReason


@dataclass(frozen=True, slots=True)
class SeenReview:
    """One review, as found or as settled; `stands_from` null: it is contested."""

    review: str
    last_day: date
    met: int
    agreed: int
    exception: str
    stands_from: date | None


@dataclass(frozen=True, slots=True)
class SeenScore:
    """One published score, with the working of each part."""

    score: str
    provider: str
    state: str
    points: int
    first_day: date
    last_day: date
    published_at: datetime
    appeal_reason: str | None
    parts: list[dict[str, Any]]

    @classmethod
    def of(cls, row: QualityScore) -> "SeenScore":
        return cls(
            score=row.ref,
            provider=row.provider,
            state=str(row.state),
            points=row.score,
            first_day=row.first_day,
            last_day=row.last_day,
            published_at=row.published_at,
            appeal_reason=row.appeal_reason,
            parts=list(row.parts),
        )


@dataclass(frozen=True, slots=True)
class SeenNotice:
    """One notice that a provider will be asked for no more requests with a budget."""

    notice: str
    provider: str
    state: str
    failed: int
    of: int
    noticed_at: datetime
    challenge_by: datetime
    reason: str | None

    @classmethod
    def of_bar(cls, row: EnablementBar) -> "SeenNotice":
        return cls(
            notice=row.ref,
            provider=row.provider,
            state=str(row.state),
            failed=row.failed,
            of=row.of,
            noticed_at=row.noticed_at,
            challenge_by=row.challenge_by,
            reason=row.reason,
        )


class Reviews(Controller):
    """Reviews of outcomes: made by a broker, answered by the provider."""

    path = "/"
    tags = ("Quality",)

    @get("/contracts/{ref:str}/reviews", guards=[PARTIES], sync_to_thread=True)
    def seen(
        self, ref: FromPath[str], request: Request[Actor, Any, Any], installation: NamedDependency[Installation]
    ) -> list[SeenReview]:
        """What each review of a contract comes to, in the order of their days."""
        with installation.database.reading() as session:
            contract = find_contract(session, ref, actor=request.user)
            found = findings(session, contract, standing_scheme(session, contract.scheme))
            return [
                SeenReview(one.ref, one.last_day, one.met, one.agreed, str(one.exception), one.stands_from)
                for one in found
            ]

    @post("/contracts/{ref:str}/reviews", guards=[BROKER], sync_to_thread=True, status_code=201)
    def record(self, ref: FromPath[str], data: JSONBody[Review], write: NamedDependency[Write]) -> Moved:
        """Record what broker and provider found together."""

        def command(session: Session) -> Answer:
            made = review_outcomes(
                session,
                write.ports,
                contract_ref=ref,
                met=data.met,
                agreed=data.agreed,
                last_day=data.last_day,
                actor=write.actor,
            )
            return {"ref": made.ref, "state": "found"}

        return Moved(**write.once(command, [data.met, data.agreed, data.last_day.isoformat()]))

    @post("/reviews/{ref:str}/answer", guards=[PROVIDER], sync_to_thread=True, status_code=200)
    def answer(self, ref: FromPath[str], data: JSONBody[ReviewAnswer], write: NamedDependency[Write]) -> Moved:
        """Agree to a review, or contest it within the scheme's days."""

        def command(session: Session) -> Answer:
            scheme = _scheme_of_review(session, ref, write.actor)
            said = answer_review(
                session, write.ports, review_ref=ref, scheme=scheme, agrees=data.agrees, actor=write.actor
            )
            return {"ref": ref, "state": str(said.state)}

        return Moved(**write.once(command, data.agrees))


class Scores(Controller):
    """To a provider its own scores and notices; to the councils of a scheme those of all."""

    path = "/"
    tags = ("Quality",)

    @get("/schemes/{key:str}/scores", guards=[SCORED], sync_to_thread=True)
    def scores(
        self, key: FromPath[str], request: Request[Actor, Any, Any], installation: NamedDependency[Installation]
    ) -> list[SeenScore]:
        """Every score published, the first one first."""
        with installation.database.reading() as session:
            scheme = scheme_seen(session, key, request.user)
            return [SeenScore.of(row) for row in recognition.history(session, scheme=scheme.key, actor=request.user)]

    @post("/scores/{ref:str}/appeal", guards=[PROVIDER], sync_to_thread=True, status_code=200)
    def appeal(self, ref: FromPath[str], data: JSONBody[Appeal], write: NamedDependency[Write]) -> Moved:
        """Appeal in time: the score before counts until a commissioner has looked."""

        def command(session: Session) -> Answer:
            scheme = standing_scheme(session, recognition.score_of(session, ref, actor=write.actor).scheme)
            moved = recognition.appeal(
                session, write.ports, score_ref=ref, scheme=scheme, reason=data.reason, actor=write.actor
            )
            return {"ref": ref, "state": str(moved.state)}

        return Moved(**write.once(command, str(data.reason)))

    @get("/schemes/{key:str}/notices", guards=[SCORED], sync_to_thread=True)
    def notices(
        self, key: FromPath[str], request: Request[Actor, Any, Any], installation: NamedDependency[Installation]
    ) -> list[SeenNotice]:
        """Notices to providers that consistently fail, the first one first."""
        with installation.database.reading() as session:
            scheme = scheme_seen(session, key, request.user)
            return [SeenNotice.of_bar(row) for row in enablement.bars(session, scheme=scheme.key, actor=request.user)]

    @post("/notices/{ref:str}/challenge", guards=[PROVIDER], sync_to_thread=True, status_code=200)
    def challenge(self, ref: FromPath[str], data: JSONBody[Challenge], write: NamedDependency[Write]) -> Moved:
        """Challenge a notice in time: it is held off until a commissioner decides."""

        def command(session: Session) -> Answer:
            scheme = standing_scheme(session, enablement.bar_of(session, ref, actor=write.actor).scheme)
            moved = enablement.challenge(
                session, write.ports, bar_ref=ref, scheme=scheme, reason=data.reason, actor=write.actor
            )
            return {"ref": ref, "state": str(moved.state)}

        return Moved(**write.once(command, str(data.reason)))


def _scheme_of_review(session: Session, ref: str, actor: Actor) -> Scheme:
    return standing_scheme(session, contract_of_review(session, ref, actor=actor).scheme)
