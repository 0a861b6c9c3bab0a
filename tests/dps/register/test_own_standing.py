"""What a provider reads of its own standing: each place with its state and why, and what keeps work away."""

from datetime import date, timedelta

from sqlmodel import Session

from dps.kernel.database import Database
from dps.kernel.ports import Ports
from dps.register import capacity
from dps.register.membership import MembershipState
from dps.register.own_standing import Hindrance, Obstacle, held_places, hindrances, useful_documents
from dps.register.providers import Provider
from dps.register.standing import ProviderStanding, standing
from dps.schemes.loader import preset
from dps.schemes.model import Rating
from tests.dps.register.builders import (
    HERE,
    HOUR,
    THERE,
    WORCESTERSHIRE,
    a_location,
    a_member,
    a_provider,
    free_hours,
    good_documents,
    id_of,
    its_own,
    removed,
    step,
    suspended,
)


def seen(session: Session, ports: Ports, provider: Provider) -> ProviderStanding:
    (found,) = standing(session, WORCESTERSHIRE.key, ports.clock.read(session), providers=[id_of(provider)])
    return found


def obstacles(session: Session, ports: Ports, provider: Provider) -> list[tuple[Obstacle, bool]]:
    return [(one.obstacle, one.stops) for one in hindrances(seen(session, ports, provider), WORCESTERSHIRE)]


def test_who_holds_no_place_reads_only_that(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        assert obstacles(session, ports, a_provider(session, ports)) == [(Obstacle.NO_PLACE, True)]


def test_hours_and_documents_that_are_missing_are_named_one_by_one(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        provider = a_provider(session, ports)
        a_member(session, ports, provider)

        found = hindrances(seen(session, ports, provider), WORCESTERSHIRE)

        assert found[0].obstacle is Obstacle.NOTHING_DECLARED
        assert {one.what for one in found[1:]} == set(WORCESTERSHIRE.admission.documents)
        assert {one.obstacle for one in found[1:]} == {Obstacle.DOCUMENT_MISSING}


def test_each_obstacle_comes_and_goes_with_its_cause(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        provider = a_provider(session, ports)
        a_member(session, ports, provider)
        good_documents(session, ports, provider, expires_on=date(2018, 5, 1))
        free_hours(session, ports, provider, 10 * HOUR)
        assert obstacles(session, ports, provider) == []

        capacity.say_full(session, ports, provider_id=id_of(provider), actor=its_own(provider))
        assert obstacles(session, ports, provider) == [(Obstacle.FULL, True)]
        capacity.say_not_full(session, ports, provider_id=id_of(provider), actor=its_own(provider))
        assert obstacles(session, ports, provider) == []

        free_hours(session, ports, provider, 0)
        assert obstacles(session, ports, provider) == [(Obstacle.NOTHING_LEFT, True)]

        step(ports, timedelta(days=7))
        assert obstacles(session, ports, provider) == [(Obstacle.DECLARATION_OVER, True)]


def test_a_document_warns_for_thirty_days_stops_the_day_after_its_last_and_not_before(
    database: Database, ports: Ports
) -> None:
    with database.transaction() as session:
        provider = a_provider(session, ports)
        a_member(session, ports, provider)
        free_hours(session, ports, provider, 10 * HOUR, days=60)
        good_documents(session, ports, provider, expires_on=date(2018, 4, 13))
        documents = len(WORCESTERSHIRE.admission.documents)

        assert obstacles(session, ports, provider) == []
        step(ports, timedelta(days=1))
        assert obstacles(session, ports, provider) == [(Obstacle.DOCUMENT_ENDS_SOON, False)] * documents
        step(ports, timedelta(days=29))
        assert obstacles(session, ports, provider) == [(Obstacle.DOCUMENT_ENDS_SOON, False)] * documents
        step(ports, timedelta(days=1))
        assert obstacles(session, ports, provider) == [(Obstacle.DOCUMENT_OVER, True)] * documents


def test_places_in_the_same_state_stand_together_with_their_reason(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        provider = a_provider(session, ports)
        a_member(session, ports, provider, localities=[HERE, THERE])
        (both,) = held_places(seen(session, ports, provider))
        assert (set(both.localities), both.state) == ({HERE, THERE}, MembershipState.ACTIVE)

        suspended(session, ports, provider, localities=[HERE])
        found = {one.localities: one for one in held_places(seen(session, ports, provider))}
        assert found[(HERE,)].because == "Two missed visits in a week."
        assert found[(HERE,)].state is MembershipState.SUSPENDED
        assert found[(THERE,)].because is None

        removed(session, ports, provider, localities=[THERE])
        last = held_places(seen(session, ports, provider))[-1]
        assert (last.localities, last.state) == ((THERE,), MembershipState.REMOVED)


def test_a_rating_that_is_not_invited_and_a_suspension_of_every_place_are_named(
    database: Database, ports: Ports
) -> None:
    with database.transaction() as session:
        provider = a_provider(session, ports)
        a_member(session, ports, provider)
        good_documents(session, ports, provider)
        free_hours(session, ports, provider, 10 * HOUR)
        a_location(session, ports, provider, rating=Rating.INADEQUATE)
        assert obstacles(session, ports, provider) == [(Obstacle.RATING, True)]

        suspended(session, ports, provider)
        assert obstacles(session, ports, provider) == [(Obstacle.SUSPENDED, True), (Obstacle.RATING, True)]


def test_a_scheme_that_asks_for_a_base_names_its_lack(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        provider = a_provider(session, ports)
        a_member(session, ports, provider)
        good_documents(session, ports, provider)
        free_hours(session, ports, provider, 10 * HOUR)
        asking = WORCESTERSHIRE.model_copy(
            update={"admission": WORCESTERSHIRE.admission.model_copy(update={"base_asked": True})}
        )
        elsewhere = WORCESTERSHIRE.model_copy(
            update={"admission": WORCESTERSHIRE.admission.model_copy(update={"base_asked": False})}
        )

        found = seen(session, ports, provider)

        assert Hindrance(Obstacle.NO_BASE) in hindrances(found, asking)
        assert Hindrance(Obstacle.NO_BASE) not in hindrances(found, elsewhere)
        a_location(session, ports, provider)
        assert Hindrance(Obstacle.NO_BASE) not in hindrances(seen(session, ports, provider), asking)


def test_what_makes_a_trusted_assessor_is_of_use_beside_what_is_asked_for() -> None:
    joint = preset("knowsley-sefton")

    assert "trusted_assessor_accreditation" not in joint.admission.documents
    assert useful_documents(joint) == {*joint.admission.documents, "trusted_assessor_accreditation"}
    assert "trusted_assessor_accreditation" not in useful_documents(WORCESTERSHIRE)
