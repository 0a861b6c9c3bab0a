"""Who may join, at the officer's desk: Kent's six appendices, Cornwall's standards, Kingston's contract areas."""

from datetime import timedelta
from pathlib import Path

import pytest

from dps.kernel.actors import Actor, Role
from dps.kernel.database import Database
from dps.kernel.errors import DocumentsMissing, RuleNotMet
from dps.register import applications
from dps.register.applications import Application, ApplicationState
from dps.register.documents import receive
from dps.register.membership import held_by, remove
from dps.register.providers import register_provider
from tests.scenarios.serving import on_sqlite
from tests.support.world import World

pytestmark = on_sqlite
AGREED = {"guaranteed-hours": True, "call-monitoring": True, "living-wage": True}


def an_applicant(council: World) -> Actor:
    made = council.run(register_provider, name="Synthetic Newcomer", company_number=None, actor=council.officer)
    return Actor(ref="newcomer-1", role=Role.PROVIDER, provider=made.ref)


def applied(council: World, who: Actor, answers: dict[str, bool] | None = None) -> Application:
    """An application for the first lot in the first locality, handed in."""
    scheme = council.scheme
    made: Application = council.run(
        applications.draft,
        provider_id=council.row_of(who).id or 0,
        scheme=scheme,
        lots=[scheme.lots[0].key],
        localities=[scheme.localities[0].key],
        actor=who,
        answers=answers or {},
    )
    council.run(applications.submit, application=made, scheme=scheme, actor=who)
    return made


def signed(council: World, who: Actor, kind: str) -> None:
    council.run(
        receive,
        provider_id=council.row_of(who).id or 0,
        kind=kind,
        sha256="0" * 64,
        expires_on=council.now.date() + timedelta(days=365),
        actor=council.officer,
    )


def approved(council: World, application: Application, *lists: str) -> None:
    council.run(
        applications.approve, application=application, scheme=council.scheme, lists=lists, actor=council.officer
    )


def test_kent_admits_nobody_before_the_last_of_six_appendices_is_signed(database: Database, tmp_path: Path) -> None:
    council = World(database, tmp_path, "kent-flex")
    appendices = council.scheme.admission.documents
    who = an_applicant(council)
    application = applied(council, who)

    for appendix in appendices:
        with pytest.raises(DocumentsMissing, match=appendix):
            approved(council, application, "approved")
        signed(council, who, appendix)
    approved(council, application, "approved")

    assert len(appendices) == 6


@pytest.mark.parametrize("standard", AGREED)
def test_whoever_does_not_keep_one_of_cornwalls_standards_is_put_before_the_officer(
    database: Database, tmp_path: Path, standard: str
) -> None:
    council = World(database, tmp_path, "cornwall")
    keeps, misses = an_applicant(council), an_applicant(council)

    assert applied(council, keeps, AGREED).flags == []
    assert applied(council, misses, AGREED | {standard: False}).flags == [[standard, False]]
    assert "health_and_safety_accreditation" in council.scheme.admission.documents


def test_an_application_for_an_area_that_has_its_provider_is_not_approved_until_that_one_is_removed(
    database: Database, tmp_path: Path
) -> None:
    council = World(database, tmp_path, "kingston")
    here = council.scheme.localities[0].key
    oak = council.provider("Synthetic Oak", localities=[here], lists=["area-provider"])
    who = an_applicant(council)
    for kind in council.scheme.admission.documents:
        signed(council, who, kind)
    application = applied(council, who)

    with pytest.raises(RuleNotMet, match=f"is held already: Home care in Kingston Town.* by {oak.provider}"):
        approved(council, application, "area-provider")
    (row,) = council.rows(Application)
    assert row.state is ApplicationState.SUBMITTED

    oak_id = council.row_of(oak).id or 0
    council.run(remove, provider_id=oak_id, scheme=council.scheme, because="It failed.", actor=council.officer)
    approved(council, row, "area-provider")
    with council.database.reading() as session:
        held = [one.place for one in held_by(session, council.row_of(who).id or 0, "kingston")]
    assert held == [("area-provider", "personal-care", here)]
