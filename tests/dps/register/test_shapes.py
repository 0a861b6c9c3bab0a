"""The shape of a list: who may be admitted, what may be left, and who gets the last seat."""

from typing import Any

import pytest
from sqlmodel import Session, col, select

from dps.kernel.database import Database
from dps.kernel.errors import BadInput, NotAdmitted, RuleNotMet
from dps.kernel.ports import Ports
from dps.register import membership
from dps.register.membership import Membership
from dps.register.providers import Provider
from dps.register.shapes import Place, against_admission, against_removal, seats_for
from dps.schemes.loader import preset
from dps.schemes.model import ListShape, ProviderList, Scheme
from tests.dps.register.builders import LOT, OFFICER, WORCESTERSHIRE, a_provider, all_at_once, id_of, removed, suspended

PLACES = tuple(locality.key for locality in WORCESTERSHIRE.localities)
HERE, THERE = PLACES[:2]


def shaped(shape: ListShape, most: int | None = None) -> Scheme:
    """Worcestershire with a first list of this shape, and a second one that anybody may choose areas on."""
    first = ProviderList(key="first", name="First list", shape=shape, most=most)
    return WORCESTERSHIRE.model_copy(update={"lists": (first, WORCESTERSHIRE.lists[0])})


def on_first(*localities: str) -> list[Place]:
    return [("first", LOT, where) for where in localities]


def against(scheme: Scheme, asked: list[Place], own: list[Place] | None = None, *, here: str = "") -> list[str]:
    """What is said against it where these providers, in a row, hold the first list here."""
    return against_admission(scheme, asked=asked, own=own or [], taken={("first", LOT, HERE): here.split()})


# The rules


@pytest.mark.parametrize(
    ("shape", "most", "holders", "refused"),
    [
        (ListShape.ONE_PER_AREA, None, "", False),
        (ListShape.ONE_PER_AREA, None, "PRV-1", True),
        (ListShape.SEVERAL_PER_AREA, None, "PRV-1 PRV-2 PRV-3", False),
        (ListShape.SEVERAL_PER_AREA, 3, "PRV-1 PRV-2", False),
        (ListShape.SEVERAL_PER_AREA, 3, "PRV-1 PRV-2 PRV-3", True),
    ],
)
def test_a_list_by_area_is_full_with_its_last_provider_in_a_locality(
    shape: ListShape, most: int | None, holders: str, refused: bool
) -> None:
    found = against(shaped(shape, most), on_first(HERE), here=holders)

    assert bool(found) is refused


@pytest.mark.parametrize(("shape", "refused"), [(ListShape.SINGLE, True), (ListShape.SEVERAL, False)])
def test_a_list_for_the_whole_is_full_with_its_last_provider_everywhere(shape: ListShape, refused: bool) -> None:
    taken = {place: ["PRV-1"] for place in on_first(*PLACES)}

    found = against_admission(shaped(shape), asked=on_first(*PLACES), own=[], taken=taken)

    assert bool(found) is refused
    assert not refused or "has one provider for the whole of the scheme" in found[0]


def test_a_list_for_the_whole_is_held_everywhere_or_not_at_all() -> None:
    scheme = shaped(ListShape.SEVERAL)
    rest = on_first(*PLACES[1:])

    (reason,) = against(scheme, on_first(HERE))
    assert all(locality.name in reason for locality in scheme.localities[1:])
    assert against(scheme, rest, own=on_first(HERE)) == []  # what it holds already counts
    assert against_removal(scheme, going=rest, own=on_first(*PLACES))
    assert against_removal(scheme, going=on_first(*PLACES), own=on_first(*PLACES)) == []


def test_what_is_held_already_is_never_a_reason() -> None:
    scheme = shaped(ListShape.ONE_PER_AREA)

    assert against(scheme, on_first(HERE), own=on_first(HERE), here="PRV-1") == []


def test_a_refusal_names_the_list_the_place_and_the_holder() -> None:
    (reason,) = against(shaped(ListShape.ONE_PER_AREA), on_first(HERE, THERE), here="PRV-1")

    lot, here = WORCESTERSHIRE.lots[0].name, WORCESTERSHIRE.localities[0].name
    assert f"First list has one provider in each locality, and is held already: {lot} in {here} by PRV-1." in reason
    assert WORCESTERSHIRE.localities[1].name not in reason


def test_seats_are_filled_from_the_lowest_free_one() -> None:
    scheme = shaped(ListShape.SEVERAL_PER_AREA, 3)
    first, second = on_first(HERE, THERE)
    open_one = (WORCESTERSHIRE.lists[0].key, LOT, HERE)

    assert seats_for(scheme, [first, second, open_one], {first: [1, 3]}) == {first: 2, second: 1, open_one: None}


@pytest.mark.parametrize(
    ("key", "shapes"),
    [
        ("kingston", [ListShape.ONE_PER_AREA, ListShape.SEVERAL]),
        ("halton", [ListShape.SINGLE]),
        ("knowsley-sefton", [ListShape.SEVERAL_PER_AREA]),
        ("cornwall", [ListShape.SEVERAL_PER_AREA]),
    ],
)
def test_the_councils_shapes_are_those_of_their_papers(key: str, shapes: list[ListShape]) -> None:
    assert [one.shape for one in preset(key).lists] == shapes


# The commands


def joins(session: Session, ports: Ports, provider: Provider, scheme: Scheme, *where: str, name: str = "first") -> None:
    request: dict[str, Any] = {"lists": [name], "lots": [LOT], "localities": where, "actor": OFFICER}
    membership.admit(session, ports, provider_id=id_of(provider), scheme=scheme, **request)


def test_a_seat_is_free_again_once_its_holder_is_removed_and_not_while_it_is_suspended(
    database: Database, ports: Ports
) -> None:
    scheme = shaped(ListShape.ONE_PER_AREA)
    with database.transaction() as session:
        holder, other = a_provider(session, ports), a_provider(session, ports, name="Willow")
        joins(session, ports, holder, scheme, HERE)
        suspended(session, ports, holder)
        with pytest.raises(RuleNotMet, match=holder.ref):
            joins(session, ports, other, scheme, HERE)

        removed(session, ports, holder)
        joins(session, ports, other, scheme, HERE)

        assert [one.seat for one in membership.held_by(session, id_of(other), scheme.key)] == [1]


def test_two_officers_at_once_fill_one_seat_once(database: Database, ports: Ports) -> None:
    scheme = shaped(ListShape.SEVERAL_PER_AREA, 2)
    with database.transaction() as session:
        providers = [a_provider(session, ports, name=f"Provider {number}") for number in range(5)]

    def race(number: int) -> None:
        with database.transaction() as session:
            joins(session, ports, providers[number], scheme, HERE)

    refused = all_at_once(len(providers), race)

    assert refused
    assert {type(one) for one in refused} == {RuleNotMet}
    with database.reading() as session:
        held = list(session.exec(select(Membership.seat).order_by(col(Membership.seat))))
    assert len(held) + len(refused) == len(providers)
    assert held in ([1], [1, 2])  # never two of one seat, never a third


def test_a_move_takes_the_places_along_and_asks_the_shape_of_the_other_list(database: Database, ports: Ports) -> None:
    scheme = shaped(ListShape.ONE_PER_AREA)
    open_one = WORCESTERSHIRE.lists[0].key
    request: dict[str, Any] = {"scheme": scheme, "from_list": open_one, "because": "Won the area.", "actor": OFFICER}
    with database.transaction() as session:
        holder, other = a_provider(session, ports), a_provider(session, ports, name="Willow")
        joins(session, ports, holder, scheme, HERE)
        joins(session, ports, other, scheme, HERE, THERE, name=open_one)
    with database.transaction() as session, pytest.raises(RuleNotMet, match=holder.ref), session.begin_nested():
        membership.move(session, ports, provider_id=id_of(other), to_list="first", **request)
    with database.reading() as session:
        assert {one.list_key for one in membership.held_by(session, id_of(other), scheme.key)} == {open_one}

    with database.transaction() as session:
        made = membership.move(session, ports, provider_id=id_of(other), to_list="first", localities=[THERE], **request)
        now = [one.place for one in membership.held_by(session, id_of(other), scheme.key)]
        with pytest.raises(NotAdmitted):
            membership.move(session, ports, provider_id=id_of(other), to_list="first", localities=[THERE], **request)
        with pytest.raises(BadInput, match="another list"):
            membership.move(session, ports, provider_id=id_of(other), to_list=open_one, **request)

    assert [one.place for one in made] == on_first(THERE)
    assert now == [(open_one, LOT, HERE), *on_first(THERE)]
