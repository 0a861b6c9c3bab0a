"""Complaints and investigations: who records, who reads, what the provider hears."""

from datetime import timedelta

import pytest
from sqlmodel import select

from dps.contracts.quality.concerns import (
    Concern,
    ConcernKind,
    ConcernState,
    ConcernTopic,
    close_concern,
    concerns_of,
    record_concern,
)
from dps.kernel.database import Database
from dps.kernel.errors import BadInput, Forbidden, NoSuchStep, NotFound
from dps.kernel.outbox import OutboxMessage
from tests.dps.contracts.cases import TODAY
from tests.dps.contracts.desk import Desk
from tests.dps.packages.cases import BROKER, NEIGHBOUR, PROVIDER


def noted(desk: Desk, kind: ConcernKind = ConcernKind.COMPLAINT) -> Concern:
    topic = ConcernTopic.LATE_VISITS if kind is ConcernKind.COMPLAINT else ConcernTopic.NEGLECT
    return desk.run(record_concern, contract_ref=desk.ref, kind=kind, topic=topic, received_on=TODAY, actor=BROKER)


def test_a_complaint_is_upheld_once_and_its_provider_is_told(database: Database) -> None:
    with database.transaction() as session:
        desk = Desk(session)
        complaint = noted(desk)

        desk.run(close_concern, concern_ref=complaint.ref, is_upheld=True, actor=BROKER)

        assert complaint.state is ConcernState.UPHELD
        with pytest.raises(NoSuchStep):
            desk.run(close_concern, concern_ref=complaint.ref, is_upheld=False, actor=BROKER)
    with database.reading() as session:
        told = session.exec(select(OutboxMessage.kind).where(OutboxMessage.about == complaint.ref))
        assert sorted(told) == ["complaint_closed", "complaint_received"]


def test_an_investigation_is_not_told_to_the_provider(database: Database) -> None:
    with database.transaction() as session:
        desk = Desk(session)
        noted(desk)
        investigation = noted(desk, ConcernKind.SAFEGUARDING)

        seen = concerns_of(session, desk.ref, actor=PROVIDER)

        assert [one.kind for one in seen] == [ConcernKind.COMPLAINT]
        assert len(concerns_of(session, desk.ref, actor=BROKER)) == 2
    with database.reading() as session:
        assert not session.exec(select(OutboxMessage).where(OutboxMessage.about == investigation.ref)).all()


def test_only_the_contracts_own_council_records_and_closes(database: Database) -> None:
    with database.transaction() as session:
        desk = Desk(session)
        complaint = noted(desk)
        with pytest.raises(Forbidden):
            desk.run(
                record_concern,
                contract_ref=desk.ref,
                kind=ConcernKind.COMPLAINT,
                topic=ConcernTopic.CONDUCT,
                received_on=TODAY,
                actor=PROVIDER,
            )
        with pytest.raises(NotFound):
            desk.run(close_concern, concern_ref=complaint.ref, is_upheld=True, actor=NEIGHBOUR)
        with pytest.raises(BadInput, match="still to come"):
            desk.run(
                record_concern,
                contract_ref=desk.ref,
                kind=ConcernKind.COMPLAINT,
                topic=ConcernTopic.CONDUCT,
                received_on=TODAY + timedelta(days=1),
                actor=BROKER,
            )
