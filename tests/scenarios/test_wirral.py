"""Wirral: one commission of four strands, a mini-competition in each, and assessors who are trusted to reduce.

Source: the Liverpool City Region's public paper of 2019; what it does not say is marked as assumed.
"""

from datetime import timedelta
from pathlib import Path

import pytest

from dps.contracts.reasons import ChangeReason
from dps.contracts.variations.records import VariationState
from dps.contracts.variations.rescheduling import WeekWanted, propose, reduce_as_assessor
from dps.kernel.actors import Actor
from dps.kernel.database import Database
from dps.kernel.errors import VariationRefused
from dps.kernel.outbox import OutboxMessage
from dps.packages.schedule import parse_schedule
from dps.register.documents import receive
from tests.scenarios.serving import Care, items, on_sqlite
from tests.support.world import World

WALLASEY, BIRKENHEAD, HESWALL = "wallasey", "birkenhead", "heswall"
STRANDS = ("domiciliary-care", "reablement", "chc", "enhanced-care")
FOUR_VISITS_A_WEEK = "Mon-Thu 07:30-09:30 30m personal_care"
SIX_VISITS_A_WEEK = "Mon-Sat 07:30-09:30 30m personal_care"


@pytest.fixture
def council(database: Database, tmp_path: Path) -> World:
    return World(database, tmp_path, "wirral")


def won(council: World, provider: Actor, *, lot: str = "domiciliary-care", pence: int = 1700) -> Care:
    """A package that this provider won in its strand's competition, served from then on."""
    referral = council.referral(locality=WALLASEY, lot=lot)
    council.bid(provider, referral, pence=pence)
    council.close(referral)
    return Care(council, referral, provider)


def accredited(council: World, provider: Actor) -> None:
    council.run(
        receive,
        provider_id=council.row_of(provider).id or 0,
        kind="trusted_assessor_accreditation",
        sha256="1" * 64,
        expires_on=council.now.date() + timedelta(days=365),
        actor=council.officer,
    )


def reduced(care: Care, week: str) -> VariationState:
    wanted = WeekWanted(
        schedule=parse_schedule(week), from_day=care.today, reason=ChangeReason.MORE_INDEPENDENT, note="Walks again."
    )
    state: VariationState = care.vary(reduce_as_assessor, wanted=wanted).state
    return state


@on_sqlite
@pytest.mark.parametrize("lot", STRANDS)
def test_each_strand_has_its_own_competition(council: World, lot: str) -> None:
    cheap, dear = (council.provider(f"Synthetic {name}", localities=[WALLASEY]) for name in ("Cheap", "Dear"))
    referral = council.referral(locality=WALLASEY, lot=lot)
    council.bid(cheap, referral, pence=1600)
    council.bid(dear, referral, pence=1900)

    council.close(referral)

    assert council.award(referral).provider == cheap.provider


@on_sqlite
def test_a_strand_asks_the_locality_then_its_neighbours_then_all_wirral(council: World) -> None:
    here, beside, far = (
        council.provider(f"Synthetic {place}", localities=[place]) for place in (WALLASEY, BIRKENHEAD, HESWALL)
    )
    referral = council.referral(locality=WALLASEY)

    asked = []
    while council.state(referral) == "seeking":
        asked.append(council.invited(referral))
        council.close(referral)

    assert asked == [
        {here.provider},
        {here.provider, beside.provider},
        {here.provider, beside.provider, far.provider},
    ]


def test_from_referral_to_a_reduction_by_a_trusted_assessor_to_a_paid_statement(council: World) -> None:
    oak = council.provider("Synthetic Oak", localities=[WALLASEY])
    care = won(council, oak)
    accredited(council, oak)

    council.step(days=7)
    assert reduced(care, SIX_VISITS_A_WEEK) is VariationState.AGREED
    assert "package_reduced" in [message.kind for message in council.rows(OutboxMessage)]
    council.step(days=7)
    care.mornings(14)
    statement = care.paid(14)

    # Fourteen mornings came; the one on the Sunday of the second week was not planned any more.
    planned = 14 - sum(care.day(n).weekday() == 6 for n in range(7, 14))
    assert statement.pence == planned * 850
    assert {item for item, _ in items(statement)} == {"visits"}
    assert council.faults() == []


@on_sqlite
def test_an_assessor_is_trusted_with_a_quarter_and_only_while_accredited(council: World) -> None:
    oak = council.provider("Synthetic Oak", localities=[WALLASEY])
    care = won(council, oak)
    with pytest.raises(VariationRefused, match="accreditation"):
        reduced(care, SIX_VISITS_A_WEEK)
    accredited(council, oak)

    with pytest.raises(VariationRefused, match="25%"):
        reduced(care, FOUR_VISITS_A_WEEK)
    assert reduced(care, SIX_VISITS_A_WEEK) is VariationState.AGREED
    with pytest.raises(VariationRefused, match="25%"):  # a quarter of the first agreement, not of what is left
        reduced(care, "Mon-Fri 07:30-09:30 30m personal_care")


@on_sqlite
def test_a_proposal_is_no_way_round(council: World) -> None:
    care = won(council, council.provider("Synthetic Oak", localities=[WALLASEY]))
    wanted = WeekWanted(
        schedule=parse_schedule(SIX_VISITS_A_WEEK), from_day=care.today, reason=ChangeReason.FAMILY_HELPS
    )

    with pytest.raises(VariationRefused, match="no proposals"):
        care.vary(propose, wanted=wanted)
