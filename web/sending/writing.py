"""What a letter says: what happened, to which reference, where to look. Nothing of a person, and no price, ever.

The words are made from the message's kind, its reference, and one fact: an instant, a digest's counts by kind, or a
clock of the law with its day; so nothing else can slip in.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from dps.kernel.keys import Keyring
from dps.kernel.outbox import OutboxMessage
from dps.law.clocks import Clock, stands_still
from web.pages.wording import day, instant, plain
from web.security import invitations
from web.sending.words_of_care import CARE, LAW

WORDS: Mapping[str, tuple[str, str]] = {
    **CARE,
    "invitation": ("You are asked to bid", "A package of care in your area is open to you."),
    "closing_extended": ("More time to bid", "The time to bid was extended, for everybody alike."),
    "referral_amended": ("A package has changed", "Look at it again: a bid on the old version may need your word."),
    "referral_corrected": ("A package was corrected", "Nothing that bids depend on has changed."),
    "round_cancelled": ("A package was taken back", "It is no longer open. Bids for it lapse unopened."),
    "debrief_ready": ("How your bid fared", "A round that you bid in is decided, and you can read how yours fared."),
    "award_offered": ("A package is offered to you", "Please answer in time: an offer that runs out goes to the next."),
    "award_won": ("A package is yours to confirm", "You accepted it in the window. Please confirm it in time."),
    "bid_received": ("Your bid was received", "It is sealed until its closing. Its receipt is on the page below."),
    "telephone_bid": (
        "Confirm a bid that you gave by telephone",
        "It counts only if you confirm it before the closing. If you gave none, say so.",
    ),
    "location_to_check": (
        "A provider reports a location",
        "It has opened or closed one. Look it up in the regulator's register, and record it or not.",
    ),
    "application_to_decide": ("A provider asks to join", "It is to be decided by the day that its page names."),
    "document_to_check": ("A provider sent a document", "It counts once an officer has looked at it and confirmed it."),
    "document_confirmed": ("Your document is confirmed", "It counts from now on."),
    "document_refused": ("Your document was not accepted", "Your page of documents says why. Send another one there."),
    "location_recorded": ("The location that you reported is recorded", "It counts from now on."),
    "location_refused": ("The location that you reported is not recorded", "Your page of locations says why."),
    "application_inquired": (
        "The council asks about your application",
        "Please answer on its page. The day by which the council decides stays the same.",
    ),
    "tied_step": (
        "Somebody with a tie acted on a package",
        "Who held, withdrew or amended it declared a tie to a provider that was asked. Look whether the reason holds.",
    ),
    "award_to_approve": ("An award waits for approval", "Nothing is offered before somebody says yes or no."),
    "placement_to_approve": (
        "A placement waits for an approver",
        "A package that nobody took can be placed in another way, once another person has said yes.",
    ),
    "placement_approved": ("A package is placed otherwise", "An approver has said yes, and the search is over."),
    "placement_refused": ("A placement was refused", "An approver said why. The package is sought as before."),
    "placement_lapsed": ("A placement lapsed", "The package went another way before anybody had decided."),
    "award_accepted": ("An award was accepted", "The provider has said yes and reads the person's file."),
    "award_returned": ("An award was returned", "The next in line is asked, or the search goes on."),
    "award_declined": ("An award was declined", "The next in line is asked, or the search goes on."),
    "referral_unfilled": ("A package found no provider", "The whole ladder was asked. It stands on the open list now."),
    "referral_requested": ("Somebody asks for care", "A referral was written down for you to complete and publish."),
    "left_over_uncounted": ("A package waits for you", "A search was cut short; somebody has to let it go on."),
    "open_offer": ("An offer on the open list", "A provider offers to take a package that nobody took."),
    "question_asked": ("A provider asks about a package", "Your answer goes to everybody invited at once."),
    "question_answered": ("A question was answered", "Somebody asked about a package that you may bid for."),
    "tender_published": (
        "A whole area is sought",
        "You may bid for all of some services there, sealed, for one closing.",
    ),
    "tender_cancelled": ("An area is sought no longer", "The tender that you bid in was taken back."),
    "tender_evaluated": (
        "Bids for an area are evaluated",
        "Another person than the one who published it offers it now.",
    ),
    "tender_offered": ("A whole area is offered to you", "Please answer while your bid stands."),
    "tender_accepted": ("An area is let", "The provider has accepted: the contract is agreed."),
    "tender_declined": ("An area was declined", "It can be offered to the next in line."),
    "tender_decided": ("How your bid for an area fared", "The contract was let, and you can read how yours fared."),
    "area_contract_ended": ("A contract for an area ends early", "Its last day was moved forward."),
    invitations.KIND: (
        "Choose your password",
        "You have an account for home care bidding. The link is good once, and for seven days.",
    ),
    "digest": ("What happened since your last digest", "You chose to be told of these together."),
    "bid_not_kept": (
        "Your bid was not stored: send it again",
        "It reached us and we could not store it. Send it again before the closing; without a receipt it is none.",
    ),
    "bid_lost_by_us": (
        "A bid was lost by our fault",
        "It was here in time and not stored. As long as no bid of its closing is open, everybody can be asked again.",
    ),
    "asked_again": (
        "You are asked again",
        "We lost a bid that was here in time, so everybody is asked once more, on the same terms.",
    ),
    "bid_handed_over": (
        "Your bid still stands",
        "We lost a bid, so everybody is asked again. Yours stands, unopened, unless you replace or withdraw it.",
    ),
    "custody_due": (
        "Your share of a key is needed",
        "A closing has come whose bids open only with the help of its key-holders. Take your shares and release them.",
    ),
    "custodians_awaited": (
        "Bids wait for their custodians",
        "The closing has come. Its bids open once enough key-holders have released their shares.",
    ),
    "invitations_undelivered": (
        "Many invitations did not arrive",
        "A quarter of the time to bid has passed. You can give everybody more time.",
    ),
}

_TOGETHER = "Each is sealed until its closing, and has its own receipt on the page beside its reference."
"""What is said of receipts that share a letter (`letters.SHARED`)."""

_PORTAL: Mapping[str, str] = {
    "TDR": "/portal/areas/",
    "RND": "/portal/opportunities/",
    "BID": "/portal/bids/",
    "AWD": "/portal/offers/",
    "CON": "/portal/contracts/",
    "PAY": "/portal/statements/",
    "VAR": "/portal/contracts",
    "ROF": "/portal/contracts",
    "LET": "/portal/areas",
    "HRS": "/portal/blocks",
    "SCR": "/portal/quality",
    "NTC": "/portal/quality",
    "SUS": "/portal/service",
    "PRV": "/portal/service",
    "ARR": "/portal/service",
    "DOC": "/portal/service/documents",
    "APP": "/portal/service/applications/",
}
_DESK: Mapping[str, str] = {
    "REF": "/desk/referrals/",
    "AWD": "/desk/awards/",
    "PLC": "/desk/placements/",
    "TDR": "/office/areas/",
    "CLO": "/custody/",
    "CON": "/desk/contracts/",
    "PAY": "/desk/statements/",
    "SCR": "/office/quality",
    "NTC": "/office/quality",
    "LCN": "/register/locations/",
    "DOC": "/register/documents",
    "APP": "/register/applications/",
}
"""Where what is spoken of is seen: its own page where the address ends in a stroke, else the page that it stands on."""


@dataclass(frozen=True, slots=True)
class Written:
    """A letter in both its forms."""

    subject: str
    text: str
    html: str


def written(message: OutboxMessage, *more: OutboxMessage, site: str, keyring: Keyring) -> Written:
    """The letter about a message; or about several of its kind to the same reader, each with its own link."""
    subject, sentence = _said(message)
    closes_at = message.facts.get("closes_at")
    counts = message.facts.get("counts", {})
    if more:
        subject, sentence = f"{len(more) + 1} of your bids were received", _TOGETHER
    lines = [f"{number} × {WORDS.get(kind, (plain(kind), ''))[0]}" for kind, number in sorted(counts.items())]
    context = {
        "subject": subject,
        "about": "" if counts or more else message.about,
        "lines": lines,
        "each": [(one.about, link(one, site=site, keyring=keyring)) for one in (message, *more)] if more else [],
        "sentence": sentence,
        "closes_at": instant(datetime.fromisoformat(closes_at)) if closes_at and not more else "",
        "link": f"{site}/portal/bids" if more else link(message, site=site, keyring=keyring),
    }
    return Written(
        subject=subject if counts or more else f"{subject}: {message.about}",
        text=_templates().get_template("letter.txt").render(context),
        html=_templates().get_template("letter.html").render(context),
    )


def _said(message: OutboxMessage) -> tuple[str, str]:
    """What happened, and one sentence more; of a clock of the law its own, with the last day in time."""
    if message.kind == "law_due":
        clock, last_day = Clock(message.facts["clock"]), date.fromisoformat(message.facts["limit"]) - timedelta(days=1)
        subject, what_to_do = LAW[clock]
        late = f"If it is late, until it is done: {stands_still(clock)}."
        return subject, f"{what_to_do} The last day for it is {day(last_day)}. {late}"
    return WORDS.get(message.kind, (plain(message.kind.replace(".", " ")), ""))


def link(message: OutboxMessage, *, site: str, keyring: Keyring) -> str:
    """The page on which the reader sees what the message is about; the reader's first page where it has none.

    The link to choose a password is known to its letter alone: no row holds its secret.
    """
    if message.kind == invitations.KIND:
        asked_at = datetime.fromisoformat(message.facts["invited_at"])
        return f"{site}{invitations.path_of(keyring, message.about, asked_at)}"
    is_provider = message.recipient.startswith("provider:")
    about = message.about if is_provider else message.facts.get("referral", message.about)
    contract = message.facts.get("contract")
    if contract is not None:
        return f"{site}{_of_contract(contract, message.about, is_provider=is_provider)}"
    if message.kind == "law_due":
        return f"{site}/office/clocks"
    path = (_PORTAL if is_provider else _DESK).get(about[:3])
    home = f"{site}/"
    if path is None:
        return home
    if not path.endswith("/"):
        return f"{site}{path}"
    round_ref = message.facts.get("round")
    rest = f"/debriefs/{round_ref}" if message.kind == "debrief_ready" and round_ref else ""
    if message.kind == "telephone_bid":
        rest = "/telephone"
    return f"{site}{path}{about}{rest}"


def _of_contract(contract: str, about: str, *, is_provider: bool) -> str:
    """The page of the contract that a change, a review or a complaint is about, at its place there."""
    if is_provider:
        return f"{_PORTAL['CON']}{contract}#{about}"
    return f"{_DESK['CON']}{contract}{'' if about.startswith('VAR') else '/outcomes'}#{about}"


@cache
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("web.sending"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
