"""A provider's own quality: each score with its working and appeal, each notice with its challenge."""

from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlmodel import Session

from dps.contracts import enablement
from dps.contracts.enablement import ChallengeReason
from dps.contracts.quality import recognition
from dps.contracts.quality.recognition import AppealReason, appeal_until
from web.pages.forms import Form
from web.pages.guards import PORTAL
from web.pages.portal.own import own_scheme
from web.pages.visit import Page, Visit


class OwnQuality(Controller):
    """Nobody else's is shown here."""

    path = "/portal/quality"
    guards = (PORTAL,)

    @get("/", sync_to_thread=True)
    def seen(self, visit: NamedDependency[Visit]) -> Page:
        """The latest first, scheme by scheme."""
        return _page(visit, {})

    @post("/{scheme_key:str}/scores/{score_ref:str}/appeal", sync_to_thread=True)
    def appeal(
        self,
        scheme_key: FromPath[str],
        score_ref: FromPath[str],
        visit: NamedDependency[Visit],
        form: NamedDependency[Form],
    ) -> Response[Any]:
        """Appeal: the score before counts until a commissioner has looked."""
        with visit.look() as (session, _now):
            own_scheme(session, visit, scheme_key)
            recognition.score_of(session, score_ref, scheme=scheme_key, actor=visit.actor)
        try:
            reason = AppealReason(form.text("reason"))
        except ValueError:
            return _page(visit, {score_ref: "choose what is wrong"})
        with visit.command() as session:
            scheme = own_scheme(session, visit, scheme_key)
            recognition.appeal(
                session, visit.ports, score_ref=score_ref, scheme=scheme, reason=reason, actor=visit.actor
            )
        return visit.to("/portal/quality")

    @post("/{scheme_key:str}/bars/{bar_ref:str}/challenge", sync_to_thread=True)
    def challenge(
        self,
        scheme_key: FromPath[str],
        bar_ref: FromPath[str],
        visit: NamedDependency[Visit],
        form: NamedDependency[Form],
    ) -> Response[Any]:
        """Challenge a notice: it is held off until a commissioner decides."""
        with visit.look() as (session, _now):
            own_scheme(session, visit, scheme_key)
            enablement.bar_of(session, bar_ref, scheme=scheme_key, actor=visit.actor)
        try:
            reason = ChallengeReason(form.text("reason"))
        except ValueError:
            return _page(visit, {bar_ref: "choose why you challenge it"})
        with visit.command() as session:
            scheme = own_scheme(session, visit, scheme_key)
            enablement.challenge(session, visit.ports, bar_ref=bar_ref, scheme=scheme, reason=reason, actor=visit.actor)
        return visit.to("/portal/quality")


def _page(visit: Visit, faults: dict[str, str]) -> Page:
    with visit.look() as (session, _now):
        return visit.page(
            "portal/quality.html",
            status=400 if faults else 200,
            schemes=[_seen(session, visit, scheme) for scheme in visit.schemes(session)],
            appeals=list(AppealReason),
            challenges=list(ChallengeReason),
            faults=faults,
        )


def _seen(session: Session, visit: Visit, scheme: Any) -> dict[str, Any]:
    rows = recognition.history(session, scheme=scheme.key, actor=visit.actor)
    bars = enablement.bars(session, scheme=scheme.key, actor=visit.actor)
    kept = enablement.kept_from(session, bars)
    return {
        "scheme": scheme,
        # Rules that were published later may score nobody any more.
        "scores": [(row, appeal_until(scheme, row) if scheme.recognition else None) for row in reversed(rows)],
        "bars": [(bar, kept.get(bar.ref)) for bar in reversed(bars)],
    }
