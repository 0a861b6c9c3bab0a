"""A write has one effect and one answer, however often it is sent (law 4).

Every write carries an `Idempotency-Key`. The answer is stored in the transaction that gave it, so that a retry gets
the same answer and changes nothing; the same key with another request is refused.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any

from litestar import Request
from litestar.di import NamedDependency
from litestar.params import HeaderParameter
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from dps.kernel import idempotency
from dps.kernel.actors import Actor
from dps.kernel.columns import canonical_json
from dps.kernel.errors import Conflict, NoSuchStep
from dps.kernel.ports import Ports
from web.assembly import Installation
from web.receiving import waited

Answer = dict[str, Any]

Key = Annotated[
    str,
    HeaderParameter(
        name="Idempotency-Key",
        min_length=1,
        max_length=255,
        description="Chosen by the caller, new for each write; a retry that sends it again changes nothing.",
    ),
]


@dataclass(frozen=True)
class Write:
    """One request to change something: who asks, under which key, for what."""

    actor: Actor
    installation: Installation
    key: str
    asked: str
    waited: Callable[[], timedelta] = timedelta

    @property
    def ports(self) -> Ports:
        return self.installation.ports

    def once(self, command: Callable[[Session], Answer], body: Any = None) -> Answer:
        """Run `command` in one transaction and remember its answer, or give the answer that was given before."""
        text = canonical_json([self.asked, body]).encode()

        def answered(session: Session) -> Answer:
            known = self._recalled(session, text)
            if known is not None:
                return known
            answer = command(session)
            now = self.ports.clock.read(session)
            idempotency.remember(session, self.ports.keyring, self.actor.ref, self.key, text, answer, now)
            return answer

        try:
            return self.installation.database.run(answered)
        except (Conflict, NoSuchStep, IntegrityError):
            # A twin of this request may have been first: its answer is this one's.
            with self.installation.database.reading() as session:
                known = self._recalled(session, text)
            if known is None:
                raise
            return known

    def _recalled(self, session: Session, text: bytes) -> Answer | None:
        known: Answer | None = idempotency.recall(session, self.ports.keyring, self.actor.ref, self.key, text)
        return known


def provide_write(
    request: Request[Actor, Any, Any], installation: NamedDependency[Installation], idempotency_key: Key
) -> Write:
    """The request as a `Write`, for handlers that change something."""
    asked = f"{request.method} {request.url.path}"
    return Write(
        actor=request.user, installation=installation, key=idempotency_key, asked=asked, waited=waited(request)
    )
