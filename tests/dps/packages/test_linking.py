"""Linked packages: parts of one person's care, people of one household."""

from collections.abc import Sequence

import pytest
from sqlmodel import Session, select

from dps.kernel import ending
from dps.kernel.actors import Actor
from dps.kernel.audit import AuditEvent
from dps.kernel.database import Database
from dps.kernel.errors import BadInput, CannotLink, Forbidden, NotFound
from dps.packages.facts import Confidential, LinkKind
from dps.packages.linking import link, linked_with
from dps.packages.packages import Package
from tests.dps.packages.cases import AUDITOR, BROKER, NEIGHBOUR, NOON, PROVIDER, a_package, a_person


def _link(session: Session, packages: Sequence[Package], kind: LinkKind, actor: Actor = BROKER) -> str:
    return link(session, packages, kind=kind, actor=actor, now=NOON)


def test_parts_of_one_persons_care_are_linked(database: Database) -> None:
    with database.transaction() as session:
        person = a_person(session)
        days, nights, other = a_package(session, person), a_package(session, person), a_package(session)

        group = _link(session, [nights, days], LinkKind.SPLIT_PACKAGE)

        assert group == nights.ref == days.linked_group
        assert [package.ref for package in linked_with(session, days)] == [nights.ref]
        assert list(linked_with(session, other)) == []
        ending.write(session)
        assert len(session.exec(select(AuditEvent).where(AuditEvent.kind == "package.linked")).all()) == 2


def test_two_people_of_one_household_are_linked(database: Database) -> None:
    with database.transaction() as session:
        one, two = a_package(session), a_package(session)

        _link(session, [one, two], LinkKind.HOUSEHOLD)

        assert {one.linked_as, two.linked_as} == {LinkKind.HOUSEHOLD}


def test_packages_that_do_not_belong_together_are_not_linked(database: Database) -> None:
    with database.transaction() as session:
        person = a_person(session)
        one, two, strangers = a_package(session, person), a_package(session, person), a_package(session)
        elsewhere = a_package(session, facts={"sector": "L7 2"}, confidential=Confidential(postcode="L7 2AA"))
        linked = [a_package(session, person), a_package(session, person)]
        _link(session, linked, LinkKind.SPLIT_PACKAGE)

        for packages, kind, reason in [
            ([one], LinkKind.SPLIT_PACKAGE, "two packages"),
            ([one, one], LinkKind.SPLIT_PACKAGE, "two packages"),
            ([one, strangers], LinkKind.SPLIT_PACKAGE, "one person's"),
            ([one, two], LinkKind.HOUSEHOLD, "different people"),
            ([one, elsewhere], LinkKind.HOUSEHOLD, "one place"),
            ([one, linked[0]], LinkKind.SPLIT_PACKAGE, "linked already"),
        ]:
            with pytest.raises(CannotLink, match=reason):
                _link(session, packages, kind)
        with pytest.raises(BadInput):
            _link(session, [one, two], LinkKind.ALONE)


@pytest.mark.parametrize("actor", [NEIGHBOUR, PROVIDER, AUDITOR])
def test_only_the_authoritys_own_people_link(database: Database, actor: Actor) -> None:
    with database.transaction() as session:
        person = a_person(session)
        packages = [a_package(session, person), a_package(session, person)]

        with pytest.raises((Forbidden, NotFound)):
            _link(session, packages, LinkKind.SPLIT_PACKAGE, actor)
