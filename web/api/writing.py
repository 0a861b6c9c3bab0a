"""Referrals written down by a council's own system: a draft, and the word that its texts name nobody."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated, Any

from litestar import Controller, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct, to_builtins
from sqlmodel import Session

from bidding import drafting
from bidding.looking.drafted import drafted
from bidding.referrals import referral_of
from dps.kernel.calendar import LONDON
from dps.packages import readiness
from dps.packages.facts import Flag, FreeText, FundingStream
from dps.packages.identity import AgeBand
from dps.packages.persons import find_person
from dps.places.directory import Existence, existence
from dps.schemes.model import LegalBasis, Scheme, Urgency
from dps.schemes.published import standing_scheme
from web.api.guards import BROKER
from web.api.once import Answer, Write
from web.api.rules import scheme_seen
from web.api.shapes import Moved
from web.referrals_file import ReferralDraft, read_one

Line = Annotated[str, Meta(max_length=400)]
Some = Annotated[str, Meta(max_length=5000)]
Several = Annotated[list[Line], Meta(max_length=50)]


class NewReferral(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A person and what they need, by the columns of a file of referrals; what is not known is left out.

    `person` names somebody who is known already: nothing that is on record of them is rewritten. A visit of `schedule`
    is a line such as `Mon-Sun 07:30-09:30 45m personal_care`. Empty `needs` say that there are none.
    """

    scheme: Annotated[str, Meta(max_length=40)]
    name: Line
    postcode: Annotated[str, Meta(max_length=10)]
    lot: Annotated[str, Meta(max_length=40)]
    urgency: Urgency
    person: Annotated[str, Meta(max_length=24)] | None = None
    address: Some | None = None
    date_of_birth: date | None = None
    nhs_number: Annotated[str, Meta(max_length=20)] | None = None
    phone: Line | None = None
    contact: Line | None = None
    notes: Some | None = None
    access: Some | None = None
    funding: FundingStream | None = None
    legal_basis: LegalBasis | None = None
    schedule: Several | None = None
    schedule_is_provisional: bool | None = None
    needs: Several | None = None
    flags: list[Flag] | None = None
    age_band: AgeBand | None = None
    pen_picture: Some | None = None
    outcomes: Several | None = None
    budget_pence: Annotated[int, Meta(ge=0, le=10**9)] | None = None
    budget_weeks: Annotated[int, Meta(ge=0, le=520)] | None = None
    earliest_start: date | None = None
    latest_start: date | None = None
    preferred_provider: Annotated[str, Meta(max_length=24)] | None = None
    preference_reason: Some | None = None
    existing_provider: Annotated[str, Meta(max_length=24)] | None = None
    other_minutes_allowed: bool | None = None

    def cells(self) -> dict[str, Any]:
        """The same as a row of a file."""
        row: dict[str, Any] = to_builtins(self)
        for name in ("scheme", "person", "outcomes"):
            row.pop(name, None)
        if (pence := row.pop("budget_pence", None)) is not None:
            row["budget"] = f"{pence // 100}.{pence % 100:02d}"
        for name in ("needs", "flags"):
            if name in row:
                row[name] = ",".join(row[name]) or "none"
        if "schedule" in row:
            row["schedule"] = ";".join(row["schedule"])
        return {name: str(value) if type(value) is int else value for name, value in row.items()}


class Words(Struct, forbid_unknown_fields=True):
    """The edition of the package whose words were read."""

    edition: Annotated[str, Meta(max_length=64)]


@dataclass(frozen=True, slots=True)
class WrittenDown:
    """A draft: the edition that its words are confirmed of, what bars its publication, and words to look at again."""

    ref: str
    state: str
    person: str
    edition: str
    missing: list[str]
    look_at: list[str]


class Writing(Controller):
    """The way into the engine; readiness and publication follow at the referral."""

    path = "/referrals"
    tags = ("Referrals",)

    @post("/", guards=[BROKER], sync_to_thread=True, status_code=201)
    def begin(self, data: JSONBody[NewReferral], write: NamedDependency[Write]) -> WrittenDown:
        """Write a referral down as a draft. What is missing is named; wrong fields are refused all at once."""

        def command(session: Session) -> Answer:
            scheme = scheme_seen(session, data.scheme, write.actor)
            draft = _draft(session, write, scheme, data)
            referral, _, person = drafting.begin(
                session,
                write.ports,
                identity=draft.identity,
                facts=draft.facts,
                confidential=draft.confidential,
                free_text=draft.free_text,
                scheme=scheme,
                actor=write.actor,
                person=find_person(session, data.person, actor=write.actor) if data.person else None,
            )
            return _seen(session, write, referral.ref, scheme) | {"person": person.ref}

        return WrittenDown(**write.once(command, to_builtins(data)))

    @post("/{ref:str}/words", guards=[BROKER], sync_to_thread=True, status_code=200)
    def confirm_words(self, ref: FromPath[str], data: JSONBody[Words], write: NamedDependency[Write]) -> Moved:
        """Say that somebody has read the words of this edition and that they name nobody: they may be published."""

        def command(session: Session) -> Answer:
            drafting.confirm_words(session, write.ports, referral_ref=ref, edition=data.edition, actor=write.actor)
            return {"ref": ref, "state": str(referral_of(session, ref, write.actor).state)}

        return Moved(**write.once(command, data.edition))

    @post("/{ref:str}/copy", guards=[BROKER], sync_to_thread=True, status_code=201)
    def copy(self, ref: FromPath[str], write: NamedDependency[Write]) -> Moved:
        """Another draft for the same person that asks for the same."""

        def command(session: Session) -> Answer:
            scheme = standing_scheme(session, referral_of(session, ref, write.actor).scheme)
            made = drafting.copy(session, write.ports, referral_ref=ref, scheme=scheme, actor=write.actor)
            return {"ref": made, "state": str(referral_of(session, made, write.actor).state)}

        return Moved(**write.once(command))


def _draft(session: Session, write: Write, scheme: Scheme, data: NewReferral) -> ReferralDraft:
    assert write.actor.authority is not None  # a broker's key
    draft = read_one(
        data.cells(),
        scheme,
        authority=write.actor.authority,
        today=write.ports.clock.read(session).astimezone(LONDON).date(),
        exists=lambda postcode: existence(session, postcode) is not Existence.UNKNOWN,
    )
    words = FreeText(pen_picture=draft.free_text.pen_picture, outcomes=tuple(data.outcomes or ()))
    return replace(draft, free_text=words)


def _seen(session: Session, write: Write, ref: str, scheme: Scheme) -> Answer:
    draft = drafted(session, write.ports, referral_ref=ref, scheme=scheme, actor=write.actor)
    return {
        "ref": ref,
        "state": str(draft.state),
        "edition": draft.edition,
        "missing": [readiness.WORDS[gap] for gap in draft.gaps.for_publication],
        "look_at": sorted({f"{one.field}: {one.kind.replace('_', ' ')}" for one in draft.telltales}),
    }
