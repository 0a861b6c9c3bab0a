"""Councils whose own stories end with the award: from referral to a paid statement, and the figures of their papers."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from bidding import aftercare
from bidding.awards import moving
from bidding.awards.records import AwardState
from dps.contracts.deliveries.recording import record_deliveries
from dps.contracts.payment.retainer import may_restart
from dps.contracts.statements.making import make_statement
from dps.kernel.calendar import LONDON
from dps.kernel.database import Database
from dps.register.admission import decide_by, openings
from dps.schemes.loader import preset
from dps.schemes.model import Mode
from tests.scenarios.serving import paid, visit
from tests.support.world import World


@pytest.mark.parametrize(
    ("key", "pence"),
    [
        ("liverpool", 1600),  # the published price
        ("st-helens", 1600),
        ("knowsley-sefton", 1600),
        ("worcestershire", 1700),  # in no tier: what was delivered
    ],
)
def test_a_week_of_mornings_is_paid_to_the_penny(database: Database, tmp_path: Path, key: str, pence: int) -> None:
    council = World(database, tmp_path, key)
    oak = council.provider("Synthetic Oak")
    referral = council.referral()
    if council.round(referral).mode == Mode.ACCEPTANCE_WINDOW:
        council.accept_in_window(oak, referral)
    else:
        council.bid(oak, referral, pence=pence)
    council.close(referral)
    award = council.award(referral)
    if award.state is AwardState.OFFERED:
        council.run(moving.accept, award_ref=award.ref, actor=oak)
    contract = council.run(moving.confirm, award_ref=award.ref, actor=oak)
    council.step(days=3)
    first = council.now.astimezone(LONDON).date()
    council.run(aftercare.start_contract, contract_ref=contract, first_visit_on=first, actor=oak)
    council.step(days=8)
    visits = [visit(first + timedelta(days=number), "08:00", 30) for number in range(7)]
    council.run(record_deliveries, contract_ref=contract, scheme=council.scheme, records=visits, actor=oak)

    statement = council.run(
        make_statement,
        contract_ref=contract,
        scheme=council.scheme,
        first_day=first,
        last_day=first + timedelta(days=6),
        actor=council.broker,
    )

    assert paid(council, statement, oak).pence == 7 * pence // 2
    assert council.faults() == []


def test_st_helens_takes_new_providers_quarterly_and_answers_in_ten_working_days() -> None:
    scheme = preset("st-helens")

    opened = [one.opens_at.astimezone(LONDON).date() for one in openings(scheme, datetime(2018, 1, 1, 12, tzinfo=UTC))]

    assert {day.month for day in opened} <= {1, 4, 7, 10}
    assert all((later - earlier).days > 80 for earlier, later in pairwise(opened))
    assert decide_by(scheme, datetime(2018, 7, 2, 9, tzinfo=UTC)).date() == date(2018, 7, 16)


def test_cornwall_keeps_a_place_for_four_weeks() -> None:
    rule = preset("cornwall").variations.retainer
    assert rule is not None

    paused = date(2018, 7, 2)

    assert may_restart(rule, paused_from=paused, restarts_on=paused + timedelta(weeks=4))
    assert not may_restart(rule, paused_from=paused, restarts_on=paused + timedelta(weeks=4, days=1))


def test_kent_s_six_appendices_are_asked_of_every_applicant() -> None:
    assert len(preset("kent-flex").admission.documents) == 6
