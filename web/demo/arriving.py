"""A synthetic person's need, written down as a broker writes one: person, package, referral."""

from sqlmodel import Session

from bidding.referrals import Referral, open_referral
from dps.kernel.actors import Actor
from dps.kernel.calendar import LONDON
from dps.kernel.ports import Ports
from dps.packages.facts import Confidential, Flag, FreeText, PackageFacts, fundings_of
from dps.packages.identity import Identity, age_band
from dps.packages.packages import confirm_free_text, create_package
from dps.packages.persons import register_person
from dps.schemes.model import Scheme
from web.demo.market import SyntheticNeed


def written_down(session: Session, ports: Ports, scheme: Scheme, need: SyntheticNeed, broker: Actor) -> Referral:
    """The draft of a referral for this need, with everything that publication asks for."""
    now = ports.clock.read(session)
    person = register_person(
        session,
        ports.keyring,
        ports.entropy,
        authority=need.authority,
        identity=Identity(
            name=f"Synthetic Person {need.number:05d}",
            address=f"{need.number} Synthetic Street",
            postcode=need.place.postcode,
            date_of_birth=need.born,
            phone="01632 960000",
        ),
        actor=broker,
        now=now,
    )
    lot = scheme.lot(need.lot)
    package = create_package(
        session,
        ports.keyring,
        ports.entropy,
        person,
        facts=PackageFacts(
            scheme=scheme.key,
            lot=need.lot,
            urgency=need.urgency,
            locality=need.place.locality,
            sector=need.place.sector,
            funding=fundings_of(scheme.lot(need.lot))[0],
            schedule=need.schedule,
            needs=frozenset(),
            flags=frozenset(Flag(flag) for flag in need.flags),
            age_band=age_band(need.born, now.astimezone(LONDON).date()),
            budget_pence=need.budget_pence,
            budget_weeks=lot.budget_weeks if lot.sets_budget else None,
            earliest_start=need.earliest_start,
            latest_start=need.latest_start,
        ),
        confidential=Confidential(postcode=need.place.postcode, address=f"{need.number} Synthetic Street"),
        free_text=FreeText(
            pen_picture="Synthetic: needs help to wash, dress and eat.",
            outcomes=("Synthetic: prepares breakfast alone.",) if lot.sets_budget else (),
        ),
        scheme=scheme,
        actor=broker,
        now=now,
    )
    confirm_free_text(session, package, actor=broker, now=now)
    return open_referral(session, ports, package=package, actor=broker)
