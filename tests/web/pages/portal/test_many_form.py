"""Many bids in one form: what is read, and what is said beside which field. No database, no page."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from bidding.bids.preparing import Terms
from bidding.looking.invited import Opportunity
from dps.kernel.money import Band, PriceBasis, RateCard
from dps.register.limits import LimitPart
from dps.schemes.model import ScoredQuestion
from web.pages.forms import Form
from web.pages.portal.many_form import ALL_GONE, Answers, Offered, read

NOON = datetime(2019, 3, 4, 12, tzinfo=UTC)
QUESTION = ScoredQuestion(key="continuity", text="How many carers?", points=10, answers={"few": 100, "many": 0})
TERMS = Terms(
    floor_pence_per_hour=1400,
    ceiling_pence_per_hour=2000,
    earliest_start=date(2019, 3, 7),
    latest_start=date(2019, 3, 14),
    questions=(QUESTION,),
    published_card=None,
    published_weekly_pence=None,
)


def offered(*refs: str, closing: str = "CLO-1", terms: Terms = TERMS) -> dict[str, Offered]:
    return {
        ref: Offered(
            Opportunity(
                round=ref,
                scheme="any",
                lot="care",
                locality="here",
                mode="sealed_bid",
                stage="one",
                version=1,
                opens_at=NOON,
                closes_at=NOON,
                closing=closing,
                invitation="invited",
                travel=None,
                first_visit_from=TERMS.earliest_start,
                first_visit_until=TERMS.latest_start,
                published_part={},
            ),
            terms,
        )
        for ref in refs
    }


def filled(*refs: str, **more: str) -> dict[str, str]:
    """Every package of these ticked, at £16, from its earliest start."""
    fields = {"answer-continuity": "few"}
    for ref in refs:
        fields |= {f"bid-{ref}": "on", f"price-{ref}": "16.00", f"start-{ref}": "2019-03-07"}
    return fields | {name.replace("_", "-"): value for name, value in more.items()}


def answers(fields: dict[str, str], among: dict[str, Offered]) -> Answers:
    return read(Form(fields), among)


def test_each_ticked_package_becomes_a_bid_of_its_own_and_no_other_does() -> None:
    found = answers(filled("A", "C") | {"price-B": "15.00", "start-B": "2019-03-07"}, offered("A", "B", "C"))

    assert found.faults == {}
    assert [bid.rounds for bid in found.bids] == [("A",), ("C",)]
    assert found.bids[0].content.card == RateCard.of(PriceBasis.PER_HOUR, {Band.WEEKDAY: 1600})
    assert found.bids[0].content.answers == (("continuity", "few"),)
    assert found.limit is None


def test_the_prices_that_the_page_carried_along_are_the_bid_s() -> None:
    found = answers(filled("A") | {"weekend-A": "18.00", "night-A": "20.00"}, offered("A"))

    assert found.bids[0].content.card == RateCard.of(
        PriceBasis.PER_HOUR, {Band.WEEKDAY: 1600, Band.WEEKEND: 1800, Band.NIGHT: 2000}
    )


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"price-A": ""}, "price-A"),
        ({"price-A": "sixteen"}, "price-A"),
        ({"weekend-A": "1e9"}, "price-A"),
        ({"start-A": "soon"}, "start-A"),
        ({"start-A": ""}, "start-A"),
        ({"order-A": "first"}, "order-A"),
        ({"answer-continuity": ""}, "answer-continuity"),
        ({"limit-packages": "-1"}, "limit-packages"),
        ({"limit-hours": "1.5"}, "limit-hours"),
        ({"either-A": "A"}, "either-A"),
        ({"bundle-A": "on"}, "bundle"),
    ],
)
def test_a_fault_stands_at_its_field(wrong: dict[str, str], field: str) -> None:
    assert list(answers(filled("A") | wrong, offered("A")).faults) == [field]


def test_nothing_ticked_is_said() -> None:
    assert list(answers({"answer-continuity": "few"}, offered("A")).faults) == ["bid"]


def test_two_packages_can_t_have_the_same_place_in_the_order() -> None:
    found = answers(filled("A", "B") | {"order-A": "1", "order-B": "1"}, offered("A", "B"))

    assert list(found.faults) == ["order-B"]


def test_packages_of_one_group_exclude_each_other_and_nothing_else() -> None:
    groups = {"either-A": "A", "either-B": "A", "either-C": "A", "either-D": ""}
    found = answers(filled("A", "B", "C", "D") | groups, offered("A", "B", "C", "D"))

    assert [bid.content.not_with for bid in found.bids] == [("B", "C"), ("A", "C"), ("A", "B"), ()]


def test_two_packages_are_a_group() -> None:
    found = answers(filled("A", "B") | {"either-A": "B", "either-B": "B"}, offered("A", "B"))

    assert [bid.content.not_with for bid in found.bids] == [("B",), ("A",)]


def test_a_bundle_is_one_bid_at_its_own_price_beside_single_ones() -> None:
    fields = filled("A") | {"bundle-A": "on", "bundle-B": "on", "price-bundle": "15.00", "start-bundle": "2019-03-08"}

    found = answers(fields, offered("A", "B"))

    assert [bid.rounds for bid in found.bids] == [("A",), ("A", "B")]
    assert found.bids[1].content.starts_on == date(2019, 3, 8)
    assert found.faults == {}


def test_a_bundle_names_packages_that_close_together() -> None:
    fields = filled("A") | {"bundle-A": "on", "bundle-B": "on", "price-bundle": "15.00", "start-bundle": "2019-03-08"}

    found = answers(fields, offered("A") | offered("B", closing="CLO-2"))

    assert list(found.faults) == ["bundle"]


def test_what_closed_meanwhile_is_named_and_the_rest_is_read() -> None:
    fields = filled("A", "B") | {"either-A": "A", "either-B": "A"}

    found = answers(fields, offered("A"))
    none_left = answers(filled("B"), {})

    assert ([bid.name for bid in found.bids], found.gone, found.faults) == (["A"], ["B"], {})
    assert (none_left.gone, none_left.faults) == (["B"], {"bid": ALL_GONE})


def test_a_bundle_is_never_read_without_one_of_its_packages() -> None:
    fields = filled("A") | {f"bundle-{ref}": "on" for ref in "ABC"}
    fields |= {"price-bundle": "15.00", "start-bundle": "2019-03-08"}

    found = answers(fields, offered("A", "B"))

    assert [bid.rounds for bid in found.bids] == [("A",)]
    assert list(found.faults) == ["bundle"]


def test_an_acceptance_needs_no_price_and_takes_no_other() -> None:
    card = RateCard.of(PriceBasis.PER_HOUR, {Band.WEEKDAY: 1750})
    fields = filled("A") | {"price-A": "99.00"}

    found = answers(fields, offered("A", terms=replace(TERMS, published_card=card, published_weekly_pence=100)))

    assert found.bids[0].content.card == card


def test_a_limit_is_read_in_minutes() -> None:
    found = answers(filled("A") | {"limit-packages": "3", "limit-hours": "40", "limit-starts": "0"}, offered("A"))

    assert found.limit == LimitPart(packages=3, minutes=2400, starts_a_week=0)
