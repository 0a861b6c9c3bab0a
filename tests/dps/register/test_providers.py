"""Providers, their locations and their standing prices."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlmodel import select

from dps.kernel import ending
from dps.kernel.actors import Actor, Role
from dps.kernel.audit import AuditEvent
from dps.kernel.database import Database
from dps.kernel.errors import BadCompanyNumber, BadInput, DpsError, Forbidden, NotFound, RegisteredAlready
from dps.kernel.money import Band, PriceBasis, RateCard
from dps.kernel.ports import Ports
from dps.register import providers, rate_cards
from dps.register.company_numbers import parse_company_number
from dps.register.providers import Provider
from dps.schemes.model import Rating
from tests.dps.register.builders import (
    BROKER,
    LOT,
    OFFICER,
    ST_HELENS,
    WORCESTERSHIRE,
    a_location,
    a_provider,
    id_of,
    its_own,
)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("01234567", "01234567"),
        (" 0123 4567 ", "01234567"),
        ("1234567", "01234567"),
        ("12345", "00012345"),
        ("sc123456", "SC123456"),
        ("OC300001", "OC300001"),
        ("NI 012345", "NI012345"),
        ("R0000123", "R0000123"),
        ("IP12345R", "IP12345R"),
        ("CE012345", "CE012345"),
    ],
)
def test_a_company_number_is_read_in_its_usual_spellings(written: str, read: str) -> None:
    assert parse_company_number(written) == read


@pytest.mark.parametrize(
    "written",
    ["", "1234", "123456789", "XX123456", "SC12345", "SC1234567", "00000000", "0123456A", "٠١٢٣٤٥٦٧", "1" * 1000],
)
def test_what_is_no_company_number_is_refused(written: str) -> None:
    with pytest.raises(BadCompanyNumber):
        parse_company_number(written)


@given(st.text(max_size=30))
def test_any_text_is_either_read_in_canonical_form_or_refused(written: str) -> None:
    try:
        read = parse_company_number(written)
    except BadCompanyNumber:
        return
    assert parse_company_number(read) == read
    assert len(read) == 8


def test_a_company_is_registered_once(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        first = a_provider(session, ports, number="1234567")

        with pytest.raises(RegisteredAlready) as refused:
            a_provider(session, ports, number="01234567")

        assert refused.value.ref == first.ref


def test_several_sole_traders_have_no_company_number(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        made = [a_provider(session, ports, name=name) for name in ("A. Reed", "B. Reed")]

        assert [one.company_number for one in made] == [None, None]


@pytest.mark.parametrize(
    ("fact", "value"),
    [
        ("name", "  "),
        ("name", "x" * 201),
        ("name", "Ember\nCare"),
        ("name", "Ember\u202eeraC"),
        ("skills", ["PEG feeding"]),
        ("accepted_flags", [""]),
        ("service_minutes", (1440, 1500)),
        ("service_minutes", (600, 600)),
        ("service_minutes", (600, 2041)),
        ("most_carers", 3),
    ],
)
def test_facts_that_make_no_sense_are_refused(database: Database, ports: Ports, fact: str, value: object) -> None:
    facts: dict[str, object] = {"name": "Ember Home Care", "company_number": None, fact: value}
    with database.transaction() as session, pytest.raises(BadInput) as refused:
        providers.register_provider(session, ports, actor=OFFICER, **facts)  # type: ignore[arg-type]

    assert refused.value.field == fact


def test_a_joining_account_registers_one_provider_and_no_other(database: Database, ports: Ports) -> None:
    joining = Actor(ref="USR-NEW", role=Role.PROVIDER)
    with database.transaction() as session:
        made = providers.register_provider(session, ports, name="Ember", company_number=None, actor=joining)

        with pytest.raises(Forbidden):
            providers.register_provider(session, ports, name="Other", company_number=None, actor=its_own(made))
        with pytest.raises(Forbidden):
            providers.register_provider(session, ports, name="Other", company_number=None, actor=BROKER)


def test_a_provider_changes_its_own_service_and_nobody_elses(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        provider, stranger = a_provider(session, ports), a_provider(session, ports, name="Alder Care")
        change = {"skills": ["dementia", "dementia"], "accepted_flags": ["pets"], "service_minutes": (420, 1380)}

        providers.change_service(session, ports, provider_id=id_of(provider), actor=its_own(provider), **change)  # type: ignore[arg-type]
        with pytest.raises(NotFound):
            providers.change_service(session, ports, provider_id=id_of(provider), actor=its_own(stranger), **change)  # type: ignore[arg-type]

    with database.reading() as session:
        read = session.get_one(Provider, id_of(provider))
        assert (read.skills, read.service_from_minute, read.service_until_minute) == (["dementia"], 420, 1380)


def test_a_foreign_provider_can_not_be_told_from_a_missing_one(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        provider, stranger = a_provider(session, ports), a_provider(session, ports, name="Alder Care")
        refusals = []
        for ref in (provider.ref, "PRV-NONE"):
            with pytest.raises(NotFound) as refused:
                providers.provider_of(session, ref, its_own(stranger))
            refusals.append((refused.value.code, set(refused.value.facts)))

        assert refusals[0] == refusals[1]


def test_a_location_keeps_its_sector_and_its_rating(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        provider = a_provider(session, ports)
        a_location(session, ports, provider, regulator_id="1-100", rating=Rating.NOT_RATED)

        rated = providers.rate(session, ports, regulator_id="1-100", rating=Rating.GOOD, actor=OFFICER)
        ending.write(session)
        kinds = session.exec(select(AuditEvent.kind).where(AuditEvent.stream == provider.ref)).all()

        assert (rated.district, rated.sector, rated.rating) == ("WR1", "WR1 1", Rating.GOOD)
        assert kinds == ["provider.register", "provider.add_location", "provider.rate"]


def test_a_location_is_registered_once_whoever_claims_it(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        provider, other = a_provider(session, ports), a_provider(session, ports, name="Alder Care")
        a_location(session, ports, provider, regulator_id="1-100")

        with pytest.raises(RegisteredAlready) as refused:
            a_location(session, ports, other, regulator_id="1-100")

        assert refused.value.ref == provider.ref


@pytest.mark.parametrize("place", ["WR1 1AA", "somewhere", "", "WR 1"])
def test_a_location_takes_a_sector_or_district_and_nothing_closer(place: str) -> None:
    with pytest.raises(DpsError):
        providers.district_and_sector(place)


@pytest.mark.parametrize(
    ("place", "read"), [("wr1 1", ("WR1", "WR1 1")), ("WR11", ("WR11", None)), ("l6", ("L6", None))]
)
def test_a_sector_and_a_district_are_told_apart(place: str, read: tuple[str, str | None]) -> None:
    assert providers.district_and_sector(place) == read


def test_a_location_does_not_close_before_it_was_registered(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        a_location(session, ports, a_provider(session, ports), regulator_id="1-100")

        with pytest.raises(BadInput):
            providers.close_location(session, ports, regulator_id="1-100", on=date(2015, 5, 31), actor=OFFICER)
        with pytest.raises(NotFound):
            providers.close_location(session, ports, regulator_id="1-999", on=date(2018, 1, 1), actor=OFFICER)


CARD = RateCard.of(PriceBasis.PER_HOUR, {Band.WEEKDAY: 1873, Band.WEEKEND: 1991})
DEARER = RateCard.by_length({30: {Band.WEEKDAY: 1140}, 60: {Band.WEEKDAY: 1873}})


def test_a_rate_card_comes_back_to_its_provider_alone(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        provider, stranger = a_provider(session, ports), a_provider(session, ports, name="Alder Care")
        own = its_own(provider)
        rate_cards.put_rate_card(
            session, ports, provider_id=id_of(provider), scheme=WORCESTERSHIRE, lot=LOT, card=CARD, actor=own
        )

        def read_by(actor: Actor, lot: str = LOT) -> RateCard | None:
            return rate_cards.rate_card_of(
                session, ports, provider=provider, scheme_key=WORCESTERSHIRE.key, lot=lot, actor=actor
            )

        assert (read_by(own), read_by(own, lot="night")) == (CARD, None)
        with pytest.raises(NotFound):
            read_by(its_own(stranger))
        with pytest.raises(Forbidden):
            read_by(OFFICER)


def test_a_stored_price_can_not_be_read_in_the_database(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        provider = a_provider(session, ports)
        lengths = set()
        for card in (CARD, DEARER):
            stored = rate_cards.put_rate_card(
                session,
                ports,
                provider_id=id_of(provider),
                scheme=WORCESTERSHIRE,
                lot=LOT,
                card=card,
                actor=its_own(provider),
            )
            lengths.add(len(stored.sealed))
            everything = session.execute(text("SELECT * FROM rate_card")).all()
            trail = session.execute(text("SELECT body FROM audit_event")).all()
            assert "1873" not in repr(everything) + repr(trail)

    assert len(lengths) == 1


def test_a_rate_card_is_for_a_lot_of_the_scheme(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        provider = a_provider(session, ports)

        with pytest.raises(BadInput):
            rate_cards.put_rate_card(
                session,
                ports,
                provider_id=id_of(provider),
                scheme=ST_HELENS,
                lot="no-such-lot",
                card=CARD,
                actor=its_own(provider),
            )
