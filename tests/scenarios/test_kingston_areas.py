"""Kingston's three ways of bidding for an area, each from the tender to a statement paid at what was bid.

Source: the borough's options paper; which way stands for which area is assumed, and marked so in the scheme file.
"""

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from bidding.bids.records import Bid
from bidding.closings import Closing, ClosingState
from bidding.tenders.content import AreaBid
from bidding.tenders.deciding import accept_area, decline_area, offer_area
from bidding.tenders.handing_in import hand_in_for_area, withdraw_from_area
from bidding.tenders.publishing import cancel_tender, publish_tender
from bidding.tenders.records import Tender, TenderState
from bidding.transparency.ocds import as_json, release_package
from bidding.transparency.register import Register, register_of_awards
from dps.contracts.area_contracts import AreaContractRow, end_area_contract
from dps.contracts.statements.area_contracts import make_area_contract_statement
from dps.kernel.actors import Actor
from dps.kernel.calendar import LONDON
from dps.kernel.database import Database
from dps.kernel.errors import (
    BadInput,
    CannotState,
    Forbidden,
    InvalidBid,
    NeedsSecondPerson,
    NotEligible,
    NotFound,
    RuleNotMet,
    StatedAlready,
    TooLate,
)
from dps.register.capacity import declare
from dps.register.membership import remove
from tests.scenarios.serving import Care, items, on_sqlite, paid
from tests.support.open_data import schema_faults
from tests.support.world import World

MALDEN, SURBITON, TOWN = "new-malden", "surbiton", "kingston-town"
CHEAP = AreaBid(rates=(("home-care", 1_600), ("reablement", 1_800)))
DEAR = AreaBid(rates=(("home-care", 2_000), ("reablement", 2_250)))


@pytest.fixture
def council(database: Database, tmp_path: Path) -> World:
    return World(database, tmp_path, "kingston")


@pytest.fixture
def oak(council: World) -> Actor:
    return council.provider("Synthetic Oak", lists=["approved"])


@pytest.fixture
def elm(council: World) -> Actor:
    return council.provider("Synthetic Elm", lists=["approved"])


class Competition:
    """One tender, from its publication on."""

    def __init__(self, council: World, key: str, locality: str) -> None:
        self.council = council
        self.starts = council.now.date() + timedelta(days=40)
        made = council.run(
            publish_tender,
            scheme=council.scheme,
            key=key,
            locality=locality,
            from_day=self.starts,
            actor=council.commissioner,
        )
        self.ref = made.ref

    @property
    def tender(self) -> Tender:
        (row,) = self.council.rows(Tender, Tender.ref == self.ref)
        return row

    @property
    def closing(self) -> Closing:
        (row,) = self.council.rows(Closing, Closing.id == self.tender.closing_id)
        return row

    def bid(self, provider: Actor, content: AreaBid, *, key: str | None = None) -> Any:
        return self.council.run(
            hand_in_for_area,
            tender_ref=self.ref,
            content=content,
            idempotency_key=key or self.council.ports.entropy.token(8).hex(),
            actor=provider,
        )

    def close(self) -> None:
        self.council.move_to(self.closing.closes_at)

    def offer(self) -> str:
        return self.council.run(offer_area, tender_ref=self.ref, actor=self.council.second)

    def let(self, provider: Actor, *bids: tuple[Actor, AreaBid]) -> AreaContractRow:
        """Bid, close, offer, accept: the contract, whose first day has come and gone for a month."""
        for bidder, content in bids:
            self.bid(bidder, content)
        self.close()
        assert self.offer() == provider.provider
        row = self.council.run(accept_area, tender_ref=self.ref, actor=provider)
        self.council.step(days=75)
        return row

    def states(self) -> dict[str, str]:
        return {bid.provider: str(bid.state) for bid in self.council.rows(Bid, Bid.invitation_ref == self.ref)}

    def step(self, command: Any, actor: Actor) -> Any:
        return self.council.run(command, tender_ref=self.ref, actor=actor)


def stated(council: World, row: AreaContractRow, first: date, days: int, **figures: Any) -> Any:
    return council.run(
        make_area_contract_statement,
        area_contract_ref=row.ref,
        first_day=first,
        last_day=first + timedelta(days=days - 1),
        actor=council.broker,
        **figures,
    )


# The three ways


def test_separate_rates_for_reablement_and_home_care_are_won_and_paid(council: World, oak: Actor, elm: Actor) -> None:
    competition = Competition(council, "two-rates", MALDEN)

    row = competition.let(elm, (oak, DEAR), (elm, CHEAP))
    statement = paid(
        council, stated(council, row, row.from_day, 28, units={"home-care": 4_600, "reablement": 1_075}), elm
    )

    assert (row.provider, row.evaluated_pence) == (elm.provider, 60_000 * 1_600 + 14_000 * 1_800)
    assert items(statement) == [("element", 1_075 * 1_800), ("element", 4_600 * 1_600)]
    assert competition.states() == {oak.provider: "unsuccessful", elm.provider: "awarded"}
    assert (row.last_day + timedelta(days=1)).year == row.from_day.year + 3
    assert council.faults() == []


@on_sqlite
def test_a_rate_card_over_every_element_is_won_on_the_stated_volume_and_paid_by_its_rates(
    council: World, oak: Actor, elm: Actor
) -> None:
    card = {
        element.key: element.ceiling_pence * 3 // 4 for element in council.scheme.area_contract("rate-card").elements
    }
    # Cheap home care, dear nights: on the volume of the year the home care weighs more.
    other = card | {"personal-care": card["personal-care"] - 250, "night": 18_000, "live-in": 125_000}

    row = Competition(council, "rate-card", SURBITON).let(
        elm, (oak, AreaBid(rates=tuple(sorted(card.items())))), (elm, AreaBid(rates=tuple(sorted(other.items()))))
    )
    figures = {"personal-care": 4_600, "night": 54, "reviews": 34, "crisis": 0}
    statement = paid(council, stated(council, row, row.from_day, 28, units=figures), elm)

    assert items(statement) == [("element", 4_600 * 1_400), ("element", 54 * 18_000), ("element", 34 * 6_000)]
    assert council.faults() == []


def registered(council: World, row: AreaContractRow) -> Register:
    """The register of the month in which the contract was agreed."""
    first = row.agreed_at.astimezone(LONDON).date().replace(day=1)
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    with council.database.reading() as session:
        return register_of_awards(session, scheme=council.scheme, first=first, last=last, actor=council.commissioner)


def published(council: World, register: Register) -> dict[str, Any]:
    here = {"prefix": "ocds-a1b2c3", "uri": "https://council.example/awards.json"}
    package: dict[str, Any] = json.loads(as_json(release_package(register, now=council.now, **here)))
    return package


@on_sqlite
def test_an_area_contract_stands_in_the_register_and_in_its_open_data(council: World, oak: Actor, elm: Actor) -> None:
    competition = Competition(council, "two-rates", MALDEN)
    row = competition.let(elm, (oak, DEAR), (elm, CHEAP))

    register = registered(council, row)
    (release,) = published(council, register)["releases"]

    (area,) = register.areas
    assert (area.supplier.ref, area.yearly_pence, area.bids, area.valid_bids) == (elm.provider, 121_200_000, 2, 2)
    (award,) = release["awards"]
    assert award["value"] == {"amount": 1212000, "currency": "GBP"}
    assert award["suppliers"] == [{"id": elm.provider, "name": "Synthetic Elm"}]
    assert release["contracts"] == [{"id": row.ref, "awardID": competition.ref, "status": "active"}]
    assert str(oak.provider) not in json.dumps(release)


@on_sqlite
def test_the_open_data_of_an_area_contract_validates_against_the_standards_schema(
    council: World, oak: Actor, shared_data: Path
) -> None:
    row = Competition(council, "two-rates", MALDEN).let(oak, (oak, CHEAP))

    assert schema_faults(shared_data, published(council, registered(council, row))) == []


@on_sqlite
def test_outcomes_within_a_budget_are_won_and_what_was_promised_is_paid_when_it_is_reached(
    council: World, oak: Actor, elm: Actor
) -> None:
    def promises(pence: int, **percents: int) -> AreaBid:
        goals = council.scheme.area_contract("outcomes").targets
        least = {goal.key: goal.least_percent for goal in goals}
        return AreaBid(yearly_pence=pence, targets=tuple(sorted((least | percents).items())))

    # Ninety thousand pounds dearer, and far more promised.
    bold = promises(1_949_000_00, **{"at-home": 97, "satisfied": 95})
    row = Competition(council, "outcomes", TOWN).let(elm, (oak, promises(1_860_000_00)), (elm, bold))
    reached = {"at-home": 97, "satisfied": 90, "no-admission": 75, "independent": 60}

    statement = paid(
        council, stated(council, row, row.from_day, 28, actual_pence=149_511_78 * 107 // 100, reached=reached), elm
    )

    due = 149_512_33  # 28 of 365 days of £1,949,000
    assert items(statement) == [("area", due - 14_951_23), ("performance", 11_960_98)]  # 80 of 100 points
    assert statement.to_discussion_pence == 149_511_78 * 107 // 100 - due - 7_475_62
    assert council.faults() == []


# The competition


@on_sqlite
def test_every_bad_bid_is_refused_with_its_reasons_and_nothing_is_kept(council: World, oak: Actor) -> None:
    competition = Competition(council, "two-rates", MALDEN)

    with pytest.raises(InvalidBid, match=r"Give a rate for Home care.*can't be nothing"):
        competition.bid(oak, AreaBid(rates=(("reablement", 0),)))

    assert competition.states() == {}


@on_sqlite
def test_only_members_of_its_lists_bid_and_stay_in(council: World, oak: Actor, elm: Actor) -> None:
    competition = Competition(council, "two-rates", MALDEN)
    competition.bid(oak, DEAR)
    competition.bid(elm, CHEAP)
    council.run(
        remove,
        provider_id=council.row_of(elm).id or 0,
        scheme=council.scheme,
        because="It asked to leave.",
        actor=council.officer,
    )

    with pytest.raises(NotEligible, match="no active member"):
        competition.bid(elm, DEAR)
    competition.close()

    assert competition.states() == {oak.provider: "opened", elm.provider: "invalid"}
    assert [one.reasons for one in competition.tender.evaluation] == [(), ("The provider may no longer take part.",)]
    assert competition.offer() == oak.provider
    assert council.faults() == []


def test_a_bid_is_sealed_until_the_closing_and_late_at_its_instant(council: World, oak: Actor, elm: Actor) -> None:
    competition = Competition(council, "two-rates", MALDEN)
    competition.bid(oak, DEAR)
    first = competition.bid(oak, CHEAP, key="again")
    assert competition.bid(oak, CHEAP, key="again") == first
    council.clock.move_to(competition.closing.closes_at)

    late = competition.bid(elm, CHEAP)

    assert isinstance(late, TooLate)
    assert len(council.events("bid.refused_late")) == 1
    assert sorted(str(bid.state) for bid in council.rows(Bid)) == ["replaced", "sealed"]
    council.timetable.sweep()
    assert competition.tender.state is TenderState.EVALUATED
    assert competition.closing.state is ClosingState.ALLOCATED
    assert [one.yearly_pence for one in competition.tender.evaluation] == [60_000 * 1_600 + 14_000 * 1_800]
    assert not any("1600" in str(event.body) or "yearly" in str(event.body) for event in council.events("bid.sealed"))
    assert council.faults() == []


@on_sqlite
def test_a_bid_may_be_taken_back_before_the_closing_only(council: World, oak: Actor) -> None:
    competition = Competition(council, "two-rates", MALDEN)
    competition.bid(oak, CHEAP)
    competition.step(withdraw_from_area, oak)
    with pytest.raises(NotFound):
        competition.step(withdraw_from_area, oak)
    competition.close()

    with pytest.raises(TooLate):
        competition.step(withdraw_from_area, oak)
    assert competition.tender.evaluation == []
    with pytest.raises(RuleNotMet, match="Nobody is left in line"):
        competition.offer()
    assert council.faults() == []


@on_sqlite
def test_who_declines_leaves_it_to_the_next_in_line(council: World, oak: Actor, elm: Actor) -> None:
    competition = Competition(council, "two-rates", MALDEN)
    competition.bid(oak, DEAR)
    competition.bid(elm, CHEAP)
    competition.close()
    assert competition.offer() == elm.provider

    with pytest.raises(NotFound):
        competition.step(accept_area, oak)
    competition.step(decline_area, elm)
    assert competition.offer() == oak.provider
    row = competition.step(accept_area, oak)

    assert (row.provider, row.evaluated_pence) == (oak.provider, 60_000 * 2_000 + 14_000 * 2_250)
    assert council.faults() == []


@on_sqlite
def test_another_person_than_the_publisher_offers_it_and_a_bid_stands_only_so_long(council: World, oak: Actor) -> None:
    competition = Competition(council, "two-rates", MALDEN)
    competition.bid(oak, CHEAP)
    with pytest.raises(Forbidden):
        competition.step(offer_area, council.commissioner)
    competition.close()
    council.second = Actor(council.commissioner.ref, council.second.role, authority=council.authority)
    with pytest.raises(NeedsSecondPerson):
        competition.offer()
    council.second = Actor("approver-9", council.second.role, authority=council.authority)
    competition.offer()
    with pytest.raises(RuleNotMet, match="has not answered"):
        competition.step(cancel_tender, council.commissioner)
    (bid,) = council.rows(Bid)
    council.move_to(bid.valid_until)

    with pytest.raises(TooLate):
        competition.step(accept_area, oak)
    competition.step(cancel_tender, council.commissioner)

    assert competition.states() == {oak.provider: "unsuccessful"}
    assert council.faults() == []


@on_sqlite
def test_a_cancelled_tender_opens_nothing(council: World, oak: Actor) -> None:
    competition = Competition(council, "two-rates", MALDEN)
    competition.bid(oak, CHEAP)
    competition.step(cancel_tender, council.commissioner)
    with pytest.raises(InvalidBid, match="cancelled"):
        competition.bid(oak, CHEAP)

    competition.close()

    assert competition.states() == {oak.provider: "lapsed"}
    assert (competition.tender.state, competition.tender.scores) == (TenderState.CANCELLED, None)
    assert council.faults() == []


@on_sqlite
def test_an_area_is_sought_once_and_let_once(council: World, oak: Actor) -> None:
    competition = Competition(council, "two-rates", MALDEN)
    with pytest.raises(RuleNotMet, match="is being sought"):
        Competition(council, "two-rates", MALDEN)
    row = competition.let(oak, (oak, CHEAP))
    council.publish_lists()
    with pytest.raises(RuleNotMet, match=f"is let with {row.ref}"):
        Competition(council, "two-rates", MALDEN)
    with pytest.raises(BadInput, match="begins after its closing"):
        council.run(
            publish_tender,
            scheme=council.scheme,
            key="rate-card",
            locality=SURBITON,
            from_day=council.now.date() + timedelta(days=14),
            actor=council.commissioner,
        )


# Paying


@on_sqlite
def test_what_an_area_contract_pays_for_is_paid_in_no_other_way(council: World, oak: Actor) -> None:
    row = Competition(council, "two-rates", MALDEN).let(oak, (oak, CHEAP))
    council.provider("Synthetic Area", localities=[MALDEN], lists=["area-provider"])
    first = council.now.astimezone(LONDON).date() - timedelta(days=7)

    stated(council, row, first, 7, units={"home-care": 10, "reablement": 0})

    with pytest.raises(StatedAlready):
        stated(council, row, first, 1, units={"home-care": 1})
    with pytest.raises(BadInput, match="'home-car' is no element of two-rates"):
        stated(council, row, first - timedelta(days=1), 1, units={"home-car": 1})
    with pytest.raises(BadInput, match="how much of each element"):
        stated(council, row, first - timedelta(days=1), 1)
    with pytest.raises(CannotState, match="not on all of these days"):
        stated(council, row, row.from_day - timedelta(days=1), 2, units={"home-care": 1})
    with pytest.raises(NotFound):
        council.run(
            end_area_contract,
            area_contract_ref=row.ref,
            last_day=council.now.date(),
            actor=Actor("x", council.commissioner.role, authority="merton"),
        )
    council.run(end_area_contract, area_contract_ref=row.ref, last_day=council.now.date(), actor=council.commissioner)
    council.step(days=3)
    with pytest.raises(CannotState, match="not on all of these days"):
        stated(council, row, council.now.date() - timedelta(days=3), 3, units={"home-care": 1})


@on_sqlite
def test_a_package_of_an_area_that_is_let_has_no_statement_of_its_own(council: World) -> None:
    oak = council.provider("Synthetic Oak", localities=[MALDEN], lists=["area-provider"])
    row = Competition(council, "two-rates", MALDEN).let(oak, (oak, CHEAP))
    council.publish_lists()
    council.run(
        declare,
        provider_id=council.row_of(oak).id or 0,
        authority=council.authority,
        minutes=6_000,
        expires_at=council.now + timedelta(days=60),
        actor=oak,
    )
    care = Care(council, council.referral(locality=MALDEN, lot="personal-care"), oak)
    council.step(days=7)

    with pytest.raises(CannotState, match=f"personal-care is paid there with area contract {row.ref}"):
        care.stated(7)


# The proof


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("UPDATE tender SET scores = replace(scores, '\"rank\":1', '\"rank\":2')", "not those that were worked out"),
        ("UPDATE tender SET scores = replace(scores, '\"lot\":', '\"lot\":1')", "not what the rules make of its bids"),
        ("UPDATE tender SET locality = 'chessington'", "locality is not the one that was published"),
        ("UPDATE area_contract SET terms = replace(terms, '1600', '1700')", "it is not what was bid"),
        ("UPDATE area_contract SET evaluated_pence = evaluated_pence + 1", "it is not what was bid"),
        ("UPDATE bid SET provider = 'PRV-0000-0000-0000'", "does not belong to the provider"),
    ],
)
@on_sqlite
def test_a_changed_tender_is_found_out(council: World, oak: Actor, statement: str, fault: str) -> None:
    Competition(council, "two-rates", MALDEN).let(oak, (oak, CHEAP))
    assert council.faults() == []

    with council.database.transaction() as session:
        session.connection().exec_driver_sql(statement)

    assert any(fault in words for words in council.faults())
