"""A lead with subcontractors, and a consortium: hours counted once, one bid, one contract, and everybody's share."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from dps.contracts.passing_on import (
    corrected_named,
    delivered_for_others,
    deliverers_named,
    delivers_on,
    pass_on,
    shares,
    shares_of,
)
from dps.kernel.actors import Actor, Role
from dps.kernel.calendar import LONDON
from dps.kernel.database import Database
from dps.kernel.errors import BadInput, Conflict, NoSuchStep, NotFound, RuleNotMet
from dps.kernel.outbox import OutboxMessage
from dps.register.arrangements import Arrangement, ArrangementKind, arrange, end_arrangement
from dps.register.membership import admit
from dps.register.providers import Provider, register_provider
from dps.schemes.loader import preset
from tests.scenarios.serving import Care, on_sqlite
from tests.support.world import World, with_open_lists


def agency(council: World, name: str) -> str:
    """A provider on the register that stands on no list."""
    made = council.run(register_provider, name=name, company_number=None, actor=council.officer)
    return made.ref


def arranged(council: World, kind: ArrangementKind, lead: Actor, members: Mapping[str, int | None]) -> Arrangement:
    return council.run(
        arrange,
        scheme=council.scheme,
        kind=kind,
        lead=lead.provider or "",
        members=members,
        from_day=council.now.astimezone(LONDON).date(),
        actor=council.officer,
    )


def of(provider: str) -> Actor:
    return Actor(ref=f"user-{provider}", role=Role.PROVIDER, provider=provider)


def admitted(council: World, provider: str) -> None:
    (row,) = council.rows(Provider, Provider.ref == provider)
    council.run(
        admit,
        provider_id=row.id or 0,
        scheme=council.scheme,
        lists=[council.scheme.lists[0].key],
        lots=[council.scheme.lots[0].key],
        localities=[council.scheme.localities[0].key],
        actor=council.officer,
    )


@pytest.fixture
def halton(database: Database, tmp_path: Path) -> World:
    return World(database, tmp_path, "halton")


@pytest.fixture
def two_leads(database: Database, tmp_path: Path) -> World:
    """Halton with room for a second provider."""
    return World(database, tmp_path, with_open_lists(preset("halton")))


@pytest.fixture
def kingston(database: Database, tmp_path: Path) -> World:
    return World(database, tmp_path, "kingston")


def test_a_lead_passes_a_contract_on_and_answers_for_it(halton: World) -> None:
    lead = halton.provider("Synthetic Lead", hours=10)
    one, other = agency(halton, "Synthetic Agency One"), agency(halton, "Synthetic Agency Two")
    arranged(halton, ArrangementKind.LEAD, lead, {one: None, other: None})
    care = Care(halton, halton.referral(), lead)
    request: dict[str, Any] = {"contract_ref": care.ref, "actor": lead}

    halton.run(pass_on, **request, to=one, from_day=care.today)
    halton.run(pass_on, **request, to=other, from_day=care.today + timedelta(days=5))

    with pytest.raises(Conflict):
        halton.run(pass_on, **request, to=other, from_day=care.today + timedelta(days=5))
    with halton.database.reading() as session:
        days = [delivers_on(session, care.contract, care.today + timedelta(days=n)) for n in (-1, 0, 4, 5)]
        theirs = [
            [
                (seen.contract, seen.lead_name, seen.from_day, seen.until)
                for seen in delivered_for_others(session, actor=agent, today=care.today + timedelta(days=ahead))
            ]
            for agent, ahead in ((of(one), 0), (of(one), 5), (of(other), 0), (lead, 0))
        ]
    assert days == [lead.provider, one, one, other]
    change = care.today + timedelta(days=5)
    named = (care.ref, "Synthetic Lead")
    assert theirs == [[(*named, care.today, change)], [], [(*named, change, None)], []]
    halton.step(days=7)
    care.mornings(7)
    statement = care.paid(7)
    assert (statement.provider, statement.pence) == (lead.provider, 5600)  # the lead is paid
    with halton.database.reading() as session:
        assert shares_of(session, statement) == {lead.provider: 5600}
    assert halton.faults() == []


def test_a_passing_on_is_corrected_until_its_first_day_is_over_and_who_was_named_is_kept(halton: World) -> None:
    lead = halton.provider("Synthetic Lead", hours=10)
    one, other = agency(halton, "Synthetic Agency One"), agency(halton, "Synthetic Agency Two")
    arranged(halton, ArrangementKind.LEAD, lead, {one: None, other: None})
    care = Care(halton, halton.referral(), lead)
    day = care.today
    request: dict[str, Any] = {"contract_ref": care.ref, "actor": lead, "from_day": day}
    halton.run(pass_on, **request, to=one)
    halton.step(minutes=5)

    halton.run(pass_on, **request, to=other)

    (event,) = halton.events("contract.passing_on_corrected")
    told = [one.recipient for one in halton.rows(OutboxMessage, OutboxMessage.kind == "contract_passed_on")]
    with halton.database.reading() as session:
        assert delivers_on(session, care.contract, day) == other
        assert deliverers_named(session, care.contract) == [(day, "Synthetic Agency Two")]
        assert corrected_named(session, care.contract) == [(day, "Synthetic Agency One", halton.now)]
        assert delivered_for_others(session, actor=of(one), today=day) == []
    assert (event.body["before"], event.body["provider"]) == (one, other)
    assert told[-3:] == [f"authority:{halton.authority}", f"provider:{one}", f"provider:{other}"]
    halton.step(days=1)
    with pytest.raises(BadInput, match="today or later"):
        halton.run(pass_on, **request, to=one)
    assert halton.faults() == []


@on_sqlite
def test_work_is_passed_on_to_the_leads_own_subcontractors_alone(halton: World) -> None:
    lead = halton.provider("Synthetic Lead")
    one, stranger = agency(halton, "Synthetic Agency"), agency(halton, "Synthetic Stranger")
    arrangement = arranged(halton, ArrangementKind.LEAD, lead, {one: None})
    care = Care(halton, halton.referral(), lead)

    for to in (stranger, one):
        if to == one:
            halton.run(end_arrangement, arrangement_ref=arrangement.ref, scheme=halton.scheme, actor=halton.officer)
        with pytest.raises(RuleNotMet, match="is no subcontractor"):
            halton.run(pass_on, contract_ref=care.ref, to=to, from_day=care.today + timedelta(days=1), actor=lead)
    with pytest.raises(NoSuchStep):
        halton.run(end_arrangement, arrangement_ref=arrangement.ref, scheme=halton.scheme, actor=halton.officer)
    with pytest.raises(NotFound):
        halton.run(
            pass_on,
            contract_ref=care.ref,
            to=one,
            from_day=care.today,
            actor=Actor(ref="user-x", role=lead.role, provider=stranger),
        )


def test_hours_are_counted_once(two_leads: World) -> None:
    lead, beside = two_leads.provider("Synthetic Lead"), two_leads.provider("Synthetic Beside")
    one = agency(two_leads, "Synthetic Agency")
    with pytest.raises(RuleNotMet, match="counted twice"):
        arranged(two_leads, ArrangementKind.LEAD, lead, {beside.provider or "": None})
    arrangement = arranged(two_leads, ArrangementKind.LEAD, lead, {one: None})

    with pytest.raises(RuleNotMet, match="its hours are counted there"):
        admitted(two_leads, one)

    two_leads.run(end_arrangement, arrangement_ref=arrangement.ref, scheme=two_leads.scheme, actor=two_leads.officer)
    two_leads.step(days=1)
    admitted(two_leads, one)
    with pytest.raises(RuleNotMet, match="allows lead"):
        arranged(two_leads, ArrangementKind.CONSORTIUM, lead, {lead.provider or "": 60, one: 40})


def test_a_consortium_makes_one_bid_and_shares_what_is_paid(kingston: World) -> None:
    oak = kingston.provider("Synthetic Oak", localities=["surbiton"], lists=["area-provider"])
    elm, ash = agency(kingston, "Synthetic Elm"), agency(kingston, "Synthetic Ash")
    parts = {oak.provider or "": 50, elm: 30, ash: 20}
    for wrong in ({**parts, ash: 19}, {elm: 50, ash: 50}, {oak.provider or "": 100}):
        with pytest.raises(BadInput, match="shares that make 100"):
            arranged(kingston, ArrangementKind.CONSORTIUM, oak, wrong)
    arranged(kingston, ArrangementKind.CONSORTIUM, oak, parts)
    care = Care(kingston, kingston.referral(locality="surbiton", lot="personal-care"), oak)
    kingston.step(days=7)

    statement = care.paid(7)

    assert statement.provider == oak.provider
    with kingston.database.reading() as session:
        found = shares_of(session, statement)
    assert found == shares(statement.pence, parts)
    assert sum(found.values()) == statement.pence == 5950 - 595
    assert kingston.faults() == []


@pytest.mark.parametrize(
    ("pence", "of", "expected"),
    [
        (100, {"a": 50, "b": 50}, {"a": 50, "b": 50}),
        (101, {"a": 50, "b": 50}, {"a": 51, "b": 50}),
        (1, {"a": 33, "b": 33, "c": 34}, {"a": 0, "b": 0, "c": 1}),
        (0, {"a": 1, "b": 99}, {"a": 0, "b": 0}),
    ],
)
def test_shares_add_up_to_the_penny(pence: int, of: dict[str, int], expected: dict[str, int]) -> None:
    assert shares(pence, of) == expected
