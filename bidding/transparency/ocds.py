"""The register as open data: one release package of the Open Contracting Data Standard 1.1, for everybody.

A scheme is one contracting process; its lots, their bid statistics and its technique stand in the tender, and each
contract is an award. Two things keep a person from being found in it. An award names its lot, its month and its
supplier, never a locality or a day. And where fewer awards of a lot fall in a month than the scheme's
`publication.smallest_group`, they are published as one, with their suppliers and without a price. A contract for a
whole area concerns no single person and is published alone, with its place. No losing price and no account is ever in
it. Source: standard 1.1.5 with the extensions for lots, bids and techniques.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Any

import msgspec

from bidding.transparency.register import AreaAwarded, Awarded, Register, Supplier
from dps.contracts.area_contracts import AreaContractState
from dps.contracts.contracts import ContractState
from dps.kernel.calendar import LONDON
from dps.kernel.errors import BadInput
from dps.schemes.model import EvaluationRule, LegalBasis, Lot, Mode, Scheme
from dps.schemes.wording import EVALUATIONS, LEGAL_BASES

_EXTENSIONS = tuple(
    f"https://raw.githubusercontent.com/open-contracting-extensions/{name}/extension.json"
    for name in ("ocds_lots_extension/v1.1.5", "ocds_bid_extension/v1.1.5", "ocds_techniques_extension/master")
)
_PREFIX = re.compile(r"ocds-[a-z0-9]{6}")
_STATUS = {
    ContractState.PENDING: "pending",
    ContractState.ACTIVE: "active",
    ContractState.SUSPENDED: "active",
    ContractState.FAILED_TO_START: "cancelled",
    ContractState.ENDED: "terminated",
    ContractState.HANDED_BACK: "terminated",
}
_COMPETED = frozenset({Mode.SEALED_BID, Mode.ACCEPTANCE_WINDOW})
_AREA_STATUS = {AreaContractState.AGREED: "active", AreaContractState.ENDED: "terminated"}
_WEEKLY = "The value is what one week costs at the agreed price."
_YEARLY = "The value is what a year of the stated volume costs at what was bid."


def release_package(register: Register, *, prefix: str, uri: str, now: datetime) -> dict[str, Any]:
    """The package, ready to be written as JSON; amounts are exact decimals.

    `prefix` is the one that the Open Contracting Partnership gave the publisher, `uri` where the package will stand.
    Only whole months are published: two packages that differ by days would show what came between them.
    """
    if register.first.day != 1 or (register.last + timedelta(days=1)).day != 1:
        raise BadInput("only whole months are published", field="first_day")
    if not _PREFIX.fullmatch(prefix):
        raise BadInput("a registered prefix looks like ocds-a1b2c3", field="prefix")
    if not uri.startswith(("https://", "http://")):
        raise BadInput("say where the package will be published, as https://…", field="uri")
    scheme = register.scheme
    return {
        "uri": uri,
        "version": "1.1",
        "extensions": list(_EXTENSIONS),
        "publishedDate": _instant(now),
        "publisher": {"name": _buyers(register)[0]["name"]},
        "releases": [
            {
                "ocid": f"{prefix}-{scheme.key}",
                "id": f"{scheme.key}-{register.first:%Y%m%d}-{register.last:%Y%m%d}",
                "date": _instant(now),
                "tag": ["award", "contract"] if register.awards or register.areas else ["tender"],
                "initiationType": "tender",
                "language": "en",
                "parties": [*_buyers(register), *map(_party, _suppliers([*register.awards, *register.areas]))],
                "buyer": _reference(_buyers(register)[0]),
                "tender": _tender(register, now),
                "bids": {"statistics": list(_statistics(register))},
                **_awards(register),
            }
        ],
    }


def _instant(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _day(day: date) -> str:
    return datetime.combine(day, time(0), tzinfo=LONDON).isoformat()


def _money(pence: int) -> dict[str, Any]:
    return {"amount": Decimal(pence).scaleb(-2), "currency": "GBP"}


# Parties


def _buyers(register: Register) -> list[dict[str, Any]]:
    """The authorities whose register it is, the scheme's first one first."""
    return [
        {"id": authority.key, "name": authority.name, "roles": ["buyer", "procuringEntity"]}
        for authority in register.scheme.authorities
        if authority.key in register.authorities
    ]


def _suppliers(awards: Sequence[Awarded | AreaAwarded]) -> list[Supplier]:
    return sorted({award.supplier for award in awards})


def _party(supplier: Supplier) -> dict[str, Any]:
    party: dict[str, Any] = {"id": supplier.ref, "name": supplier.name, "roles": ["supplier"]}
    if supplier.company_number is not None:
        party["identifier"] = {"scheme": "GB-COH", "id": supplier.company_number, "legalName": supplier.name}
    return party


def _reference(party: dict[str, Any]) -> dict[str, Any]:
    return {"id": party["id"], "name": party["name"]}


# The scheme


def _tender(register: Register, now: datetime) -> dict[str, Any]:
    scheme = register.scheme
    evaluation = scheme.evaluation
    alone = evaluation.rule is not EvaluationRule.PRICE_QUALITY
    return {
        "id": scheme.key,
        "title": scheme.name,
        "status": "active" if scheme.is_in_term(now.astimezone(LONDON).date()) else "complete",
        "procuringEntity": _reference(_buyers(register)[0]),
        "procurementMethod": "selective",
        "procurementMethodDetails": LEGAL_BASES[scheme.legal_basis],
        "mainProcurementCategory": "services",
        "awardCriteria": "priceOnly" if alone else "ratedCriteria",
        "awardCriteriaDetails": EVALUATIONS[evaluation.rule],
        "submissionMethod": ["electronicSubmission"],
        "contractPeriod": _term(scheme),
        "numberOfTenderers": register.bidders,
        "lots": [{"id": lot.key, "title": lot.name, "status": "active"} for lot in scheme.lots],
        "techniques": techniques(scheme, now),
    }


def _term(scheme: Scheme) -> dict[str, str]:
    ends = {"endDate": _day(scheme.term.ends)} if scheme.term.ends else {}
    return {"startDate": _day(scheme.term.starts), **ends}


def techniques(scheme: Scheme, now: datetime) -> dict[str, Any]:
    """A dynamic purchasing system or market, or a framework and how its contracts are called off."""
    is_dynamic = scheme.legal_basis in (LegalBasis.PCR2015_DPS, LegalBasis.DYNAMIC_MARKET)
    is_framework = scheme.legal_basis in (LegalBasis.LIGHT_TOUCH_FRAMEWORK, LegalBasis.OPEN_FRAMEWORK)
    found: dict[str, Any] = {"hasDynamicPurchasingSystem": is_dynamic, "hasFrameworkAgreement": is_framework}
    today = now.astimezone(LONDON).date()
    if is_dynamic:
        begun = "active" if scheme.term.starts <= today else "pending"
        status = begun if begun == "pending" or scheme.is_in_term(today) else "terminated"
        found["dynamicPurchasingSystem"] = {"type": "closed", "status": status}
    if is_framework:
        found["frameworkAgreement"] = {"method": _called_off(scheme), "period": _term(scheme)}
    return found


def _called_off(scheme: Scheme) -> str:
    modes = {stage.mode for ladder in scheme.ladders for stage in ladder.stages}
    if modes <= _COMPETED:
        return "withReopeningCompetition"
    return "withAndWithoutReopeningCompetition" if modes & _COMPETED else "withoutReopeningCompetition"


def _statistics(register: Register) -> Iterator[dict[str, Any]]:
    for lot in register.lots:
        for measure, value in (("bids", lot.bids), ("validBids", lot.valid_bids), ("bidders", lot.bidders)):
            yield {"id": f"{lot.lot}-{measure}", "measure": measure, "value": value, "relatedLot": lot.lot}


# Awards


def _awards(register: Register) -> dict[str, Any]:
    """The awards and contracts of a release, which may not hold an empty list of either."""
    lots = {lot.key: lot for lot in register.scheme.lots}
    smallest = register.scheme.publication.smallest_group
    awards: list[dict[str, Any]] = []
    contracts: list[dict[str, Any]] = []
    for (key, month), group in groupby(sorted(register.awards, key=_cell), key=_cell):
        of_month = list(group)
        if len(of_month) < smallest:
            awards.append(_together(lots[key], month, of_month, smallest))
            continue
        for award in of_month:
            awards.append(_alone(lots[key], month, award, register.scheme.legal_basis))
            contracts.append({"id": award.contract, "awardID": award.award, "status": _STATUS[award.state]})
    for area in register.areas:
        awards.append(_of_area(register.scheme, area))
        contracts.append({"id": area.contract, "awardID": area.tender, "status": _AREA_STATUS[area.state]})
    return {name: rows for name, rows in (("awards", awards), ("contracts", contracts)) if rows}


def _cell(award: Awarded) -> tuple[str, date]:
    return award.lot, award.agreed_on.replace(day=1)


def _alone(lot: Lot, month: date, award: Awarded, own: LegalBasis) -> dict[str, Any]:
    return {
        "id": award.award,
        "title": lot.name,
        "description": _WEEKLY if award.basis is own else f"{_WEEKLY} Bought under {LEGAL_BASES[award.basis]}.",
        "status": "active",
        "date": _day(month),
        "value": _money(award.weekly_pence),
        "suppliers": [_reference(_party(award.supplier))],
        "relatedLots": [lot.key],
    }


def _of_area(scheme: Scheme, area: AreaAwarded) -> dict[str, Any]:
    """It is for a place and no person: nothing of it is left out but what others bid."""
    place = next((one.name for one in scheme.localities if one.key == area.locality), area.locality)
    return {
        "id": area.tender,
        "title": f"{area.name}, {place}",
        "description": f"{_YEARLY} {how_many_valid(area.valid_bids, area.bids)}",
        "status": "active",
        "date": _day(area.agreed_on),
        "value": _money(area.yearly_pence),
        "suppliers": [_reference(_party(area.supplier))],
        "contractPeriod": {"startDate": _day(area.first_day), "endDate": _day(area.last_day)},
        "relatedLots": list(area.lots),
    }


def how_many_valid(valid: int, bids: int) -> str:
    """How many of the bids were valid, in a sentence."""
    if bids == 1:
        return "The only bid was valid." if valid else "The only bid was not valid."
    return f"{valid} of {bids} bids {'was' if valid == 1 else 'were'} valid."


def _together(lot: Lot, month: date, awards: Sequence[Awarded], smallest: int) -> dict[str, Any]:
    return {
        "id": f"{lot.key}-{month:%Y%m}",
        "title": lot.name,
        "description": f"Fewer than {smallest} awards of this month, published as one and without their prices.",
        "status": "active",
        "date": _day(month),
        "suppliers": [_reference(_party(supplier)) for supplier in _suppliers(awards)],
        "relatedLots": [lot.key],
    }


def as_json(package: dict[str, Any]) -> bytes:
    """The package as it is written: UTF-8, amounts as exact numbers."""
    return msgspec.json.format(msgspec.json.Encoder(decimal_format="number").encode(package), indent=1)
