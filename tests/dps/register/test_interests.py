"""A tie to a provider bars from every decision of the register about it (law 9)."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlmodel import Session, select

from dps.kernel.actors import Actor, Role
from dps.kernel.database import Database
from dps.kernel.errors import NeedsSecondPerson
from dps.kernel.ports import Ports
from dps.register import arrangements, blocks, documents, suspensions
from dps.register.arrangements import ArrangementKind
from dps.register.interests import declare_interest
from dps.register.providers import Provider
from dps.register.suspensions import Suspension, SuspensionScope
from tests.dps.register.builders import (
    AUTHORITY,
    HERE,
    LOT,
    NOON,
    OFFICER,
    THERE,
    WORCESTERSHIRE,
    a_member,
    a_provider,
    id_of,
    removed,
    suspended,
)

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"])

COMMISSIONER = Actor(ref="USR-COMMISSIONER", role=Role.COMMISSIONER, authority=AUTHORITY)
SCHEME = WORCESTERSHIRE.model_copy(
    update={"admission": WORCESTERSHIRE.admission.model_copy(update={"arrangements": ("lead",)})}
)
TODAY = NOON.date()


def admit(session: Session, ports: Ports, provider: Provider) -> Any:
    return a_member(session, ports, provider, localities=[THERE])


def suspend(session: Session, ports: Ports, provider: Provider) -> Any:
    return suspended(session, ports, provider, scope=SuspensionScope.ALL)


def lift(session: Session, ports: Ports, provider: Provider) -> Any:
    one = session.exec(select(Suspension).where(Suspension.provider_id == provider.id)).one()
    suspensions.lift(session, ports, one, scheme=SCHEME, because="It has improved.", actor=OFFICER)


def bring_a_document(session: Session, ports: Ports, provider: Provider) -> Any:
    return documents.receive(
        session, ports, provider_id=id_of(provider), kind="insurance", sha256="0" * 64, expires_on=None, actor=OFFICER
    )


def arrange(session: Session, ports: Ports, provider: Provider) -> Any:
    other = a_provider(session, ports, name="Another Home Care")
    return arrangements.arrange(
        session, ports, scheme=SCHEME, kind=ArrangementKind.LEAD, lead=provider.ref, members={other.ref: None},
        from_day=TODAY, actor=OFFICER,
    )  # fmt: skip


def agree_a_block(session: Session, ports: Ports, provider: Provider) -> Any:
    return blocks.agree_block(
        session, ports, scheme=SCHEME, provider_id=id_of(provider), lot=LOT, locality=HERE, weekly_minutes=600,
        weekly_pence=15_000, from_day=TODAY, actor=COMMISSIONER,
    )  # fmt: skip


@pytest.mark.parametrize("decide", [admit, suspend, lift, removed, bring_a_document, arrange, agree_a_block])
def test_who_has_a_tie_decides_nothing_about_that_provider_and_others_do(
    database: Database, ports: Ports, decide: Callable[[Session, Ports, Provider], Any]
) -> None:
    with database.transaction() as session:
        friend, stranger = a_provider(session, ports, name="Friend"), a_provider(session, ports, name="Stranger")
        for one in (friend, stranger):
            a_member(session, ports, one)
            suspended(session, ports, one)
        for actor in (OFFICER, COMMISSIONER):
            declare_interest(session, ports, provider=friend.ref, actor=actor)

        with pytest.raises(NeedsSecondPerson):
            decide(session, ports, friend)
        decide(session, ports, stranger)
