"""Wirral: one commission of four strands, a mini-competition in each, and assessors who are trusted to reduce.

Source: the Liverpool City Region's public paper of 2019; what it does not say is marked as assumed.
"""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from bidding.transparency.register import register_of_awards
from dps.contracts.reasons import ChangeReason
from dps.contracts.variations.records import VariationState
from dps.contracts.variations.rescheduling import WeekWanted, propose, reduce_as_assessor
from dps.kernel.actors import Actor
from dps.kernel.database import Database
from dps.kernel.errors import BadInput, NotReady, VariationRefused
from dps.kernel.outbox import OutboxMessage
from dps.packages.facts import FundingStream
from dps.packages.schedule import parse_schedule
from dps.schemes.loader import preset
from dps.schemes.model import LegalBasis
from tests.scenarios.joining import shown
from tests.scenarios.serving import Care, items, on_sqlite
from tests.support.world import World

WALLASEY, BIRKENHEAD, HESWALL = "wallasey", "birkenhead", "heswall"
STRANDS = ("domiciliary-care", "reablement", "chc", "enhanced-care")
FOUR_VISITS_A_WEEK = "Mon-Thu 07:30-09:30 30m personal_care"
SIX_VISITS_A_WEEK = "Mon-Sat 07:30-09:30 30m personal_care"


@pytest.fixture
def council(database: Database, tmp_path: Path) -> World:
    return World(database, tmp_path, "wirral")


def won(council: World, provider: Actor, *, lot: str = "domiciliary-care", pence: int = 1700, **facts: Any) -> Care:
    """A package that this provider won in its strand's competition, served from then on."""
    referral = council.referral(locality=WALLASEY, lot=lot, **facts)
    council.bid(provider, referral, pence=pence)
    council.close(referral)
    return Care(council, referral, provider)


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
    shown(council, oak, "trusted_assessor_accreditation")

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


def test_from_an_nhs_package_under_the_nhs_regulations_to_a_paid_statement_charged_to_nobody(council: World) -> None:
    oak = council.provider("Synthetic Oak", localities=[WALLASEY])
    with pytest.raises(BadInput, match="paid for by the NHS"):
        council.referral(lot="chc", funding=FundingStream.COUNCIL)
    care = won(council, oak, lot="chc", pence=2000)
    council.step(days=7)
    care.mornings(7)

    statement = care.paid(7)

    assert bases(council) == {care.ref: LegalBasis.NHS_2013}  # not the scheme's, and nobody had to choose
    assert (statement.pence, statement.chargeable_pence) == (7000, 0)
    assert council.faults() == []


@on_sqlite
@pytest.mark.parametrize("basis", [LegalBasis.LIGHT_TOUCH_FRAMEWORK, LegalBasis.NHS_2013])
def test_a_joint_package_is_refused_until_its_basis_is_chosen_and_bought_under_that(
    council: World, basis: LegalBasis
) -> None:
    oak = council.provider("Synthetic Oak", localities=[WALLASEY])
    with pytest.raises(NotReady, match="under which regulations"):
        council.referral(locality=WALLASEY, funding=FundingStream.JOINT)

    care = won(council, oak, funding=FundingStream.JOINT, legal_basis=basis)

    assert bases(council) == {care.ref: basis}


def bases(council: World) -> dict[str, LegalBasis]:
    """Under which regulations each contract of the term was bought, by the register of awards."""
    with council.database.reading() as session:
        register = register_of_awards(
            session,
            scheme=council.scheme,
            first=council.scheme.term.starts,
            last=council.now.date(),
            actor=council.commissioner,
        )
    return {award.contract: award.basis for award in register.awards}


def test_the_papers_figures_are_the_files_own() -> None:
    scheme = preset("wirral")
    assert scheme.term.starts == date(2019, 4, 1)
    assert tuple(lot.key for lot in scheme.lots) == STRANDS
    assert scheme.variations.reduction is not None
    assert scheme.variations.reduction.most_percent == 25


@on_sqlite
def test_an_assessor_is_trusted_with_a_quarter_and_only_while_accredited(council: World) -> None:
    oak = council.provider("Synthetic Oak", localities=[WALLASEY])
    care = won(council, oak)
    with pytest.raises(VariationRefused, match="accreditation"):
        reduced(care, SIX_VISITS_A_WEEK)
    shown(council, oak, "trusted_assessor_accreditation")

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
