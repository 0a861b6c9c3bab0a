"""A scheme, people and packages for tests: valid unless a test says otherwise. All of them are invented."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time
from typing import Any

from sqlmodel import Session

from dps.kernel.actors import Actor, Role
from dps.kernel.entropy import SystemEntropy
from dps.kernel.keys import Keyring, SecretBox, SigningKey
from dps.packages.facts import Confidential, Flag, FreeText, FundingStream, LinkKind, PackageFacts
from dps.packages.identity import AgeBand, Identity
from dps.packages.packages import Package, create_package
from dps.packages.persons import Person, register_person
from dps.packages.schedule import Schedule
from dps.schemes.model import Scheme, Urgency
from tests.dps.packages.builders import a_visit

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ENTROPY = SystemEntropy()

BROKER = Actor(ref="USR-BROKER", role=Role.BROKER, authority="westshire")
APPROVER = Actor(ref="USR-APPROVER", role=Role.APPROVER, authority="westshire")
REQUESTER = Actor(ref="USR-REQUESTER", role=Role.REQUESTER, authority="westshire")
AUDITOR = Actor(ref="USR-AUDITOR", role=Role.AUDITOR, authority="westshire")
NEIGHBOUR = Actor(ref="USR-NEIGHBOUR", role=Role.BROKER, authority="eastshire")
PROVIDER_REF = "PRV-0000-0000-0009"
OTHER_PROVIDER_REF = "PRV-0000-0000-001M"
PROVIDER = Actor(ref="USR-PROVIDER", role=Role.PROVIDER, provider=PROVIDER_REF)
OTHER_PROVIDER = Actor(ref="USR-OTHER", role=Role.PROVIDER, provider=OTHER_PROVIDER_REF)

_SIGNING = SigningKey(b"\x01" * 32)
KEYRING = Keyring(
    application=SecretBox(b"\x02" * 32),
    signing=_SIGNING,
    public_keys={_SIGNING.key_id: _SIGNING.public},
    recipients=("nobody",),
    _hmac_key=b"\x03" * 32,
)

VALID_NHS_NUMBERS = ("9434765919", "4010232137", "9990000018", "9990000026")


def a_scheme(**sections: Any) -> Scheme:
    """Two authorities, two localities, a lot with a budget and one without; `sections` replace whole sections."""
    window = dict.fromkeys(Urgency, "4h")
    form: dict[str, Any] = {
        "key": "westshire",
        "name": "Westshire home care",
        "legal_basis": "light_touch_framework",
        "source": "invented for tests",
        "authorities": [{"key": "westshire", "name": "Westshire"}, {"key": "eastshire", "name": "Eastshire"}],
        "term": {"starts": date(2025, 4, 1), "ends": date(2029, 4, 1)},
        "quality": {"scores": {"good": 80, "not_rated": 40}, "accepted": ["good", "not_rated"]},
        "lots": [
            {
                "key": "personal-care",
                "name": "Personal care",
                "envelopes": [{"floor_pence_per_hour": 1800, "ceiling_pence_per_hour": 2600}],
                "visits": {"least_minutes": 30, "shorter_tasks": {"medication": 15}},
            },
            {
                "key": "enablement",
                "name": "Enablement",
                "envelopes": [{"floor_pence_per_hour": 1800, "ceiling_pence_per_hour": 2600}],
                "sets_budget": True,
                "budget_weeks": 6,
            },
        ],
        "localities": [
            {"key": "harbour", "name": "The Harbour", "districts": ["L6", "L7"], "sectors": ["L8 1"]},
            {"key": "hills", "name": "The Hills", "districts": ["L8", "L9"]},
        ],
        "lists": [{"key": "approved", "name": "Approved"}],
        "ladders": [
            {
                "lots": ["personal-care", "enablement"],
                "urgencies": list(Urgency),
                "stages": [
                    {
                        "key": "local",
                        "name": "Local",
                        "lists": ["approved"],
                        "reach": "locality",
                        "mode": "sealed_bid",
                        "window": "24h",
                    }
                ],
                "ends": "unfilled",
            }
        ],
        "closings": {"times": [time(11)], "minimum": "4h"},
        "evaluation": {"rule": "lowest_price"},
        "allocation": {"mode": "per_package"},
        "ties": ["lot"],
        "award": {"acceptance": window, "confirmation": "24h", "bid_valid": "120h", "start_moves_days": 7},
        "unfilled": {"restart": "24h"},
    }
    return Scheme.model_validate(form | sections)


SCHEME = a_scheme()


def an_identity(**fields: Any) -> Identity:
    """Everything known of one invented person."""
    known: dict[str, Any] = {
        "name": "Zebedee Quillfeather",
        "address": "3 Teasel Row\nWestport",
        "postcode": "L6 1AB",
        "date_of_birth": date(1941, 5, 6),
        "nhs_number": VALID_NHS_NUMBERS[0],
        "phone": "01632 960123",
        "contact": "Daughter, 01632 960456",
        "notes": "Hard of hearing",
    }
    return Identity(**known | fields)


def some_facts(**fields: Any) -> PackageFacts:
    """A complete package: half an hour every morning for somebody in the harbour."""
    complete = PackageFacts(
        scheme="westshire",
        lot="personal-care",
        urgency=Urgency.STANDARD,
        locality="harbour",
        sector="L6 1",
        funding=FundingStream.COUNCIL,
        schedule=Schedule.of([a_visit()]),
        needs=frozenset({"peg_feeding"}),
        flags=frozenset({Flag.SMOKER, Flag.PETS}),
        age_band=AgeBand.FROM_75,
        earliest_start=date(2026, 3, 9),
        latest_start=date(2026, 3, 16),
    )
    return replace(complete, **fields)


HOME = Confidential(postcode="L6 1AB", address="3 Teasel Row", access="Key safe 4711", preference_reason="Knows them")
WORDS = FreeText(pen_picture="Likes the radio on.", outcomes=("Washes without help",))


def a_person(session: Session, *, authority: str = "westshire", actor: Actor = BROKER, **identity: Any) -> Person:
    """A registered person; without an NHS number unless one is given, so that several can be made."""
    return register_person(
        session,
        KEYRING,
        ENTROPY,
        authority=authority,
        identity=an_identity(**{"nhs_number": ""} | identity),
        actor=actor,
        now=NOON,
    )


def a_package(
    session: Session,
    person: Person | None = None,
    *,
    facts: Mapping[str, Any] | None = None,
    confidential: Confidential = HOME,
    free_text: FreeText | None = WORDS,
    now: datetime = NOON,
) -> Package:
    """A package of a new person, or of `person`, with these facts replaced."""
    return create_package(
        session,
        KEYRING,
        ENTROPY,
        person or a_person(session),
        facts=some_facts(**facts or {}),
        confidential=confidential,
        free_text=free_text,
        scheme=SCHEME,
        actor=BROKER,
        now=now,
    )


def an_unsaved_package(facts: PackageFacts, *, words: FreeText = WORDS, confirmed_by: str | None = None) -> Package:
    """A row as the database would hold it, for rules that only read columns."""
    return Package(
        ref="PKG-TEST",
        authority="westshire",
        person_id=1,
        **facts.columns(),
        weekly_minutes=facts.weekly_minutes,
        linked_as=LinkKind.ALONE,
        free_text=words.to_bytes(),
        free_text_given=list(words.given),
        free_text_confirmed_by=confirmed_by,
        confidential=HOME.to_bytes(),
        created_at=NOON,
        changed_at=NOON,
    )
