"""Tables, instants and actors without a business meaning, for the tests of the kernel."""

from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlmodel import Field, SQLModel

from dps.kernel.actors import Actor, Role
from dps.kernel.columns import (
    bytes_column,
    day_column,
    id_column,
    json_column,
    link_column,
    ref_column,
    state_column,
    utc_column,
    whole_column,
)
from dps.kernel.states import StateTable

NOON = datetime(2019, 6, 12, 11, 0, tzinfo=UTC)

BROKER = Actor(ref="USR-BROKER", role=Role.BROKER, authority="eastshire")
APPROVER = Actor(ref="USR-APPROVER", role=Role.APPROVER, authority="eastshire")
ACTORS = {
    role: Actor(
        ref=f"USR-{role.name}",
        role=role,
        authority="eastshire" if role not in (Role.PROVIDER, Role.CLOCK) else None,
        provider="PRV-1" if role is Role.PROVIDER else None,
    )
    for role in Role
}


class Door(StrEnum):
    """The states of a sample row."""

    NEW = "new"
    OPEN = "open"
    SHUT = "shut"
    GONE = "gone"


class SampleDoor(SQLModel, table=True):
    """A row that has states."""

    __tablename__ = "sample_door"

    STEPS: ClassVar[StateTable] = StateTable(
        "door",
        Door.NEW,
        (Door.NEW, "open", Door.OPEN, (Role.BROKER,)),
        (Door.OPEN, "shut", Door.SHUT, (Role.BROKER, Role.CLOCK)),
        (Door.SHUT, "open", Door.OPEN, (Role.APPROVER,)),
        (Door.OPEN, "take_out", Door.GONE, (Role.REGISTER_OFFICER,)),
        (Door.SHUT, "take_out", Door.GONE, (Role.REGISTER_OFFICER,)),
    )

    id: int | None = id_column()
    ref: str = ref_column()
    state: Door = state_column(Door)
    opened_at: datetime | None = utc_column(nullable=True)
    opened_by: str | None = Field(default=None)

    @property
    def stream(self) -> str:
        return self.ref


class SampleThing(SQLModel, table=True):
    """One column of each strict type."""

    __tablename__ = "sample_thing"

    id: int | None = id_column()
    at: datetime = utc_column()
    pence: int = whole_column()
    on: date = day_column()
    facts: Any = json_column()
    state: Door = state_column(Door)
    sealed: bytes | None = bytes_column(nullable=True)
    until: datetime | None = utc_column(nullable=True)
    more_facts: Any = json_column(nullable=True)
    other_id: int | None = link_column("sample_thing.id", nullable=True)


class SampleCount(SQLModel, table=True):
    """A number that is read, changed and written back."""

    __tablename__ = "sample_count"

    id: int | None = id_column()
    number: int = whole_column(default=0)


def a_thing(**columns: Any) -> SampleThing:
    return SampleThing(
        **{"at": NOON, "pence": 1250, "on": date(2019, 6, 12), "facts": {}, "state": Door.NEW, **columns}
    )
