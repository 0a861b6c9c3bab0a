"""After the award, in the portal: changes that a provider begins, and its answers to what the council found."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bidding.referrals import Referral
from dps.contracts.contracts import Contract
from dps.contracts.outcomes import review_outcomes
from dps.contracts.quality.concerns import ConcernKind, ConcernTopic, record_concern
from dps.contracts.statements.making import make_statement
from dps.contracts.statements.records import Statement
from dps.contracts.variations.records import Variation
from dps.kernel.actors import Actor
from dps.kernel.database import Database
from dps.register.document_checks import confirm_document
from dps.register.documents import DocumentCheck
from dps.register.suspensions import RunningContracts, SuspensionScope, suspend
from tests.web.pages.browsing import Browser, an_account
from tests.web.pages.generous import answered
from tests.web.pages.test_desk import at_the_desk
from tests.web.served import Served
from web.security.accounts import Part

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"])


@pytest.fixture
def council(database: Database, tmp_path: Path) -> Iterator[Served]:
    with Served(database, tmp_path, answered()) as served:
        yield served


def agreed(served: Served) -> tuple[str, Actor]:
    world = served.world
    winner = world.provider("Ash Homecare")
    referral = world.referral()
    world.bid(winner, referral, pence=1600)
    world.close(referral)
    return world.accept_and_confirm(world.award(referral), winner), winner


@pytest.fixture
def running(council: Served) -> tuple[str, Actor]:
    """A contract whose first visit was ten weeks ago, and who serves it."""
    return council.world.in_care(since=timedelta(weeks=10))


def at_the_portal(served: Served, provider: Actor) -> Browser:
    browser = Browser(served)
    browser.sign_in(an_account(served, Part.PROVIDER_USER, provider=provider.provider))
    return browser


def test_a_flex_is_begun_at_once_within_the_limits_and_reported_when_it_is_over(
    council: Served, running: tuple[str, Actor]
) -> None:
    contract, winner = running
    world, provider = council.world, at_the_portal(council, winner)
    flex = world.scheme.variations.flex
    assert flex is not None
    path, today = f"/portal/contracts/{contract}/changes", world.now.date()
    wanted = {
        "extra_minutes": "60",
        "days": "2",
        "from_day": (today + timedelta(days=1)).isoformat(),
        "group": flex.groups[0],
        "begun_by": flex.begun_by[0],
        "flex_reason": "fall",
        "changed": "more_visits",
        "flex_note": "She fell beside the bath.",
    }
    provider.open(path)
    unsaid = provider.send(f"{path}/flex")
    too_long = provider.send(f"{path}/flex", **{**wanted, "days": "300"})
    excluded = provider.send(f"{path}/flex", **wanted, **{f"is-{flex.exclusions[0].circumstance}": "on"})
    provider.open(path)
    begun = provider.send(f"{path}/flex", **wanted)
    (row,) = world.rows(Variation)
    report = f"/portal/variations/{row.ref}/report"
    provider.open(report)
    early = provider.send(report, outcome="back_to_normal", averted="nothing")
    world.clock.move_to(world.now + timedelta(days=2))
    provider.open(report)
    closed = provider.send(report, outcome="back_to_normal", averted="hospital_admission")

    assert unsaid.status_code == 400
    for field in ("extra_minutes", "days", "group", "begun_by", "flex_reason", "changed"):
        assert f'href="#{field}"' in unsaid.text, field  # all of it at once
    assert (too_long.status_code, f"At most {flex.most_days} days" in too_long.text) == (400, True)
    assert (excluded.status_code, "Nothing is flexed in the case of" in excluded.text) == (400, True)
    assert "Flex, fall" in begun.text
    assert "1 hour more a day" in begun.text
    assert "“She fell beside the bath.”" in begun.text
    assert "What was changed: more visits. Begun by: provider." in begun.text
    assert (early.status_code, "The flex has not begun yet" in early.text) == (400, True)
    assert "It ended with: back to normal. What it averted: hospital admission." in closed.text


def test_a_provider_proposes_a_week_takes_it_back_and_proposes_another(
    council: Served, running: tuple[str, Actor]
) -> None:
    contract, winner = running
    world, provider = council.world, at_the_portal(council, winner)
    path = f"/portal/contracts/{contract}/changes"
    less = {"proposal_week": "Mon-Sun 07:30-09:30 15m personal_care", "proposal_reason": "more_independent"}
    begins = {"proposal_begins": world.now.date().isoformat(), "proposal_note": "She washes by herself now."}

    provider.open(path)
    too_short = provider.send(f"{path}/proposal", **less, **begins | {"proposal_note": "ok"})
    unreadable = provider.send(f"{path}/proposal", **less | {"proposal_week": "every day"}, **begins)
    proposed = provider.send(f"{path}/proposal", **less, **begins)
    (first,) = world.rows(Variation)
    withdrawn = provider.send(f"/portal/variations/{first.ref}/withdrawal")
    provider.open(path)
    provider.send(f"{path}/proposal", **less, **begins)
    second = world.rows(Variation)[1].ref
    desk = at_the_desk(council)
    waiting = desk.open("/desk/contracts").text
    read = desk.open(f"/desk/contracts/{contract}").text
    desk.open(f"/desk/variations/{second}/refusal")
    desk.send(f"/desk/variations/{second}/refusal", reason="The person still needs it.")
    told = provider.open(f"/portal/contracts/{contract}").text

    assert (too_short.status_code, 'href="#proposal_note"' in too_short.text) == (400, True)
    assert f"The week by {second}" in read
    assert "“She washes by herself now.”" in read
    assert "“The person still needs it.”" in told
    assert (unreadable.status_code, 'href="#proposal_week"' in unreadable.text) == (400, True)
    assert "Waits for a decision" in proposed.text
    assert "Withdrawn" in withdrawn.text
    assert [str(one.state) for one in world.rows(Variation)] == ["withdrawn", "refused"]
    assert f"{contract}#{second}" in waiting


def test_only_a_trusted_assessor_reduces_once_an_officer_has_confirmed_what_it_sent(
    council: Served, running: tuple[str, Actor]
) -> None:
    contract, winner = running
    world, provider, path = council.world, at_the_portal(council, winner), f"/portal/contracts/{contract}/changes"
    rule = world.scheme.variations.reduction
    assert rule is not None
    wanted = {
        "reduction_week": "Mon-Sun 07:30-09:30 29m personal_care",
        "reduction_begins": world.now.date().isoformat(),
        "reduction_reason": "equipment",
    }

    provider.open(path)
    refused = provider.send(f"{path}/reduction", **wanted)
    before = len(world.rows(Variation))
    provider.open("/portal/service/documents")
    fields = provider.form("/portal/service/documents") | {"kind": rule.document, "does_not_expire": "on"}
    file = {"file": ("accreditation.pdf", b"%PDF-1.7\n synthetic", "application/pdf")}
    sent = provider.client.post("/portal/service/documents", data=fields, files=file)
    provider.open(path)
    unconfirmed = provider.send(f"{path}/reduction", **wanted)
    (check,) = world.rows(DocumentCheck)
    world.run(confirm_document, document_ref=check.ref, actor=world.officer)
    able = provider.open(path)
    reduced = provider.send(f"{path}/reduction", **wanted)
    desk, (referral,) = at_the_desk(council), world.rows(Referral)
    desk.open(f"/desk/referrals/{referral.ref}/letter")
    letter = desk.send(f"/desk/referrals/{referral.ref}/letter", call="the brokers on 01632 960002")

    assert "29 minutes between 07:30 and 09:30" in letter.text
    assert (refused.status_code, "Only a provider with the document" in refused.text, before) == (400, True, 0)
    assert 'href="/portal/service/documents"' in refused.text
    assert "None of yours counts today" in refused.text
    assert "Yours is good today." in able.text
    assert (sent.status_code, "Waits to be confirmed" in sent.text, unconfirmed.status_code) == (200, True, 400)
    assert reduced.status_code == 200
    assert [str(one.state) for one in world.rows(Variation)] == ["agreed"]


def test_a_provider_reads_whose_contract_it_is(council: Served, running: tuple[str, Actor]) -> None:
    contract, winner = running
    provider, (ours,) = at_the_portal(council, winner), council.world.scheme.authorities

    seen = [provider.open(path).text for path in ("/portal/contracts", f"/portal/contracts/{contract}")]

    assert f"for {ours.name}" in seen[0]
    assert f"<dt>For</dt><dd>{ours.name}</dd>" in seen[1]


def test_a_contract_is_handed_back_with_a_reason_and_its_package_is_sought_for_again(
    council: Served, running: tuple[str, Actor]
) -> None:
    contract, winner = running
    world, provider = council.world, at_the_portal(council, winner)
    path = f"/portal/contracts/{contract}/changes"
    provider.open(path)

    unsaid = provider.send(f"{path}/hand-back")
    last = (world.now + timedelta(days=14)).date()
    given_back = provider.send(f"{path}/hand-back", hand_back_reason="staffing", last_day=last.isoformat())
    over = provider.open(path).text

    assert (unsaid.status_code, "Choose why" in unsaid.text) == (400, True)
    assert "Handed back" in given_back.text
    assert "the contract is over" in over
    (row,) = world.rows(Contract)
    assert (str(row.state), row.last_day) == ("handed_back", last)
    (event,) = world.events("contract.hand_back")
    missing = event.body["days_short_of_notice"]
    assert missing > 0
    assert f"{missing} days less notice than the scheme asks for" in given_back.text
    assert world.events("referral.broker_again")


def test_a_first_visit_moves_once_and_care_that_can_not_begin_is_sought_for_again(council: Served) -> None:
    contract, winner = agreed(council)
    world, provider = council.world, at_the_portal(council, winner)
    path = f"/portal/contracts/{contract}/changes"
    (row,) = world.rows(Contract)
    provider.open(path)

    too_far = provider.send(f"{path}/start-day", starts_on=(row.starts_on + timedelta(days=90)).isoformat())
    moved = provider.send(f"{path}/start-day", starts_on=(row.starts_on + timedelta(days=1)).isoformat())
    again = provider.open(path).text
    failed = provider.send(f"{path}/failed-start", failure="still_in_hospital")

    assert (too_far.status_code, 'href="#starts_on"' in too_far.text) == (400, True)
    assert "Not started yet" in moved.text
    assert "was moved before" in again
    assert "Did not start" in failed.text
    assert world.events("referral.broker_again")


def test_a_first_visit_that_is_still_to_come_is_asked_for_again(council: Served) -> None:
    contract, winner = agreed(council)
    provider = at_the_portal(council, winner)
    provider.open(f"/portal/contracts/{contract}")

    ahead = provider.send(f"/portal/contracts/{contract}/start", first_visit_on="2100-01-01")

    assert (ahead.status_code, 'href="#first_visit_on"' in ahead.text) == (400, True)


def test_a_review_is_contested_and_then_agreed_and_complaints_are_shown(
    council: Served, running: tuple[str, Actor]
) -> None:
    contract, winner = running
    world, provider = council.world, at_the_portal(council, winner)
    review = world.run(
        review_outcomes, contract_ref=contract, met=1, agreed=2, last_day=world.now.date(), actor=world.broker
    )
    for kind in ConcernKind:
        topic = ConcernTopic.LATE_VISITS if kind is ConcernKind.COMPLAINT else ConcernTopic.NEGLECT
        world.run(
            record_concern,
            contract_ref=contract,
            kind=kind,
            topic=topic,
            received_on=world.now.date(),
            actor=world.broker,
        )
    shown = provider.open(f"/portal/contracts/{contract}").text

    contested = provider.send(f"/portal/reviews/{review.ref}/answer", agrees="no")
    agreed_to = provider.send(f"/portal/reviews/{review.ref}/answer", agrees="yes")

    assert "1 of 2 outcomes met" in shown
    assert "Waits for your answer" in shown
    assert "Late visits, received on" in shown
    assert "Neglect" not in shown
    assert "You contested it." in contested.text
    assert "It stands since" in agreed_to.text


def test_who_is_suspended_from_a_scheme_reads_the_names_of_its_areas_still(
    council: Served, running: tuple[str, Actor]
) -> None:
    contract, winner = running
    world, provider = council.world, at_the_portal(council, winner)
    before = provider.open(f"/portal/contracts/{contract}").text
    world.run(
        suspend,
        provider_id=world.row_of(winner).id or 0,
        scheme=world.scheme,
        scope=SuspensionScope.ALL,
        running_contracts=RunningContracts.CONTINUE,
        because="Visits were missed.",
        actor=world.officer,
    )

    after = provider.open(f"/portal/contracts/{contract}").text

    (row,) = world.rows(Contract)
    name = next(one.name for one in world.scheme.localities if one.key == row.locality)
    assert name in before
    assert name in after


def test_a_statement_is_queried_then_agreed_to_by_its_provider(council: Served, running: tuple[str, Actor]) -> None:
    contract, winner = running
    world, provider = council.world, at_the_portal(council, winner)
    day = world.now.date() - timedelta(days=3)
    empty = provider.open("/portal/statements").text
    made = world.run(
        make_statement, contract_ref=contract, scheme=world.scheme, first_day=day, last_day=day, actor=world.broker
    )

    counted = provider.open("/portal/contracts").text
    listed = provider.open("/portal/statements").text
    provider.open(f"/portal/statements/{made.ref}")
    unsaid = provider.send(f"/portal/statements/{made.ref}/query")
    queried = provider.send(f"/portal/statements/{made.ref}/query", reason="visits_missing")
    looked_at = at_the_desk(council).open(f"/desk/statements/{made.ref}").text
    agreed_to = provider.send(f"/portal/statements/{made.ref}/agreement")

    assert "Nothing was stated yet." in empty
    assert "(1 waits for your answer)" in counted
    assert made.ref in listed
    assert contract in listed
    assert (unsaid.status_code, "Choose what is wrong" in unsaid.text) == (400, True)
    assert "You said that something is wrong." in queried.text
    assert "Visits missing" in looked_at
    assert f'href="/desk/contracts/{contract}"' in looked_at
    assert "You agreed to it." in agreed_to.text
    assert [str(one.state) for one in world.rows(Statement)] == ["agreed"]
