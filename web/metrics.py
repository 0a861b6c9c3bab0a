"""Figures for whoever watches the installation (Prometheus): how requests fare, and what waits. No person, no price.

Routes are named as they are written, never as they were asked, so that no reference gets into a label. How many bids a
closing has is told nowhere before it closes.
"""

import time
from datetime import datetime

from litestar import Request, Response, get
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from sqlalchemy import func
from sqlmodel import Session, col, select

from bidding.closings import ClosingState, due_closings
from bidding.unkept import UnkeptBid
from dps.kernel.audit import Checkpoint
from dps.kernel.outbox import OutboxMessage
from web.api.guards import AUDIT
from web.assembly import Installation, release
from web.sending.letters import waiting


class Watched:
    """What one web process counts of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "dps_http_requests", "Requests answered.", ("method", "route", "status"), registry=self.registry
        )
        self.seconds = Histogram(
            "dps_http_request_seconds",
            "How long an answer took.",
            ("route",),
            buckets=(0.01, 0.03, 0.1, 0.3, 1, 3, 10),
            registry=self.registry,
        )
        Gauge("dps_info", "The release.", ("version",), registry=self.registry).labels(release()).set(1)

    def note(self, *, method: str, route: str, status: int, seconds: float) -> None:
        """One answer."""
        self.requests.labels(method, route, str(status)).inc()
        self.seconds.labels(route).observe(seconds)


def watch(app: ASGIApp) -> ASGIApp:
    """Middleware that counts each answer by its route."""

    async def counted(scope: Scope, receive: Receive, send: Send) -> None:
        if "method" not in scope:
            await app(scope, receive, send)
            return
        begun, status = time.perf_counter(), 500

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await app(scope, receive, noted)
        finally:
            handler = scope.get("route_handler")
            route = min(handler.paths) if handler is not None and handler.paths else "none"
            owner = getattr(handler, "handler_name", "") if handler is not None else ""
            watched: Watched = scope["litestar_app"].state.watched
            watched.note(
                method=str(scope.get("method")),
                route=f"{owner} {route}".strip(),
                status=status,
                seconds=time.perf_counter() - begun,
            )

    return counted


@get("/metrics", guards=[AUDIT], sync_to_thread=True, include_in_schema=False)
def metrics(request: Request[object, object, State], installation: NamedDependency[Installation]) -> Response[bytes]:
    """In Prometheus' own form, for an auditor's or an administrator's API key."""
    watched: Watched = request.app.state.watched
    with installation.database.reading() as session:
        now = installation.ports.clock.read(session)
        found = _waiting(session, now)
    content = generate_latest(watched.registry) + generate_latest(found)
    return Response(content, headers={"Content-Type": CONTENT_TYPE_LATEST})


def _waiting(session: Session, now: datetime) -> CollectorRegistry:
    """What waits, looked at now."""
    registry = CollectorRegistry()
    outbox = Gauge("dps_outbox_messages", "Messages by where they stand.", ("delivery",), registry=registry)
    for delivery, number in session.exec(
        select(OutboxMessage.delivery, func.count()).group_by(col(OutboxMessage.delivery))
    ).all():
        outbox.labels(str(delivery)).set(number)
    letters = Gauge("dps_letters", "Letters and calls by where they stand.", ("channel", "delivery"), registry=registry)
    for (channel, delivery), number in waiting(session).items():
        letters.labels(channel, delivery).set(number)
    overdue = Gauge("dps_overdue_closings", "Closings that are over and not closed yet.", registry=registry)
    overdue.set(len(due_closings(session, now, ClosingState.GATHERING)))
    lost = Gauge("dps_bids_lost", "Bids that were here in time and were not stored.", registry=registry)
    lost.set(session.exec(select(func.count()).where(col(UnkeptBid.lost_at).is_not(None))).one())
    signed_at = session.exec(select(Checkpoint.at).order_by(col(Checkpoint.seq).desc()).limit(1)).first()
    age = Gauge(
        "dps_checkpoint_age_seconds", "Since the trail was last signed; a worker signs each minute.", registry=registry
    )
    if signed_at is not None:
        age.set((now - signed_at).total_seconds())
    return registry
