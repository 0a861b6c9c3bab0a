"""Letters on their way, for tests: a message sorted, carriers that answer as they are told."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from dps.kernel.outbox import OutboxMessage, deliver, post
from tests.support.world import World
from web.security.accounts import Account, Part, add_account
from web.sending.letters import Channel, Letter, Parcel
from web.sending.sorting import Sorter

from tests.web.served import ADMINISTRATOR  # isort: skip


def reader(world: World, part: Part, name: str = "ann", *, provider: str | None = None) -> Account:
    """An account that is written to."""
    with world.database.transaction() as session:
        return add_account(
            session,
            world.ports.entropy,
            email=f"{name}@example.org",
            name=f"Synthetic {name}",
            part=part,
            password="a wide blue kettle",
            authority=None if provider else world.authority,
            provider=provider,
            by=ADMINISTRATOR,
            now=world.now,
        )


def sorted_message(
    world: World,
    *,
    recipient: str,
    kind: str = "award_offered",
    about: str = "AWD-7K3M-9QXR-4TDC",
    by_text: bool = False,
    **facts: str,
) -> OutboxMessage:
    """A message that was posted and has left the outbox."""
    now = world.now
    with world.database.transaction() as session:
        ref = post(session, world.ports.entropy, recipient=recipient, kind=kind, about=about, now=now, facts=facts)
    with world.database.transaction() as session:
        assert deliver(session, Sorter(world.ports.entropy, spool=None, by_text=by_text), now) == 1
    (message,) = world.rows(OutboxMessage, OutboxMessage.ref == ref)
    return message


def letters(world: World) -> list[Letter]:
    return world.rows(Letter)


@dataclass
class Told:
    """A carrier that keeps what it was given, and answers what it was told to."""

    channels: Sequence[Channel] = (Channel.MAIL,)
    answers: list[Exception | None] = field(default_factory=list)
    carried: list[str] = field(default_factory=list)

    def carry(self, parcels: Sequence[Parcel], note: Callable[[Parcel, Exception | None], None]) -> None:
        for parcel in parcels:
            self.carried.append(parcel.letter.ref)
            note(parcel, self.answers.pop(0) if self.answers else None)
