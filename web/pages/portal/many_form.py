"""Many bids in one form, read: which packages at which prices, in which order, what not together, and the limit.

Pure: the form and what is offered in, bids and each field's fault out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from bidding.bids.content import BidContent
from bidding.bids.preparing import Terms
from bidding.looking.invited import Opportunity
from dps.kernel.errors import BadInput
from dps.kernel.money import Band, PriceBasis, RateCard, parse_pence
from dps.register.limits import LimitPart
from web.pages.forms import Form
from web.receiving import Envelope, Sent

MOST = 30
"""Packages on one page."""

BUNDLE = "bundle"
"""The field and the fault of the bundle, which is a bid of its own."""

ALL_GONE = "everything that you ticked has closed, or is open to you no longer"

_OTHER_BANDS = (Band.WEEKEND, Band.BANK_HOLIDAY, Band.NIGHT)


@dataclass(frozen=True, slots=True)
class Offered:
    """A package that can be bid for: how it was published, and what a bid may say."""

    asked: Opportunity
    terms: Terms


@dataclass(frozen=True, slots=True)
class WantedBid:
    """A bid that the form says; `name` is its round, or the bundle."""

    name: str
    rounds: tuple[str, ...]
    content: BidContent


@dataclass(slots=True)
class Answers:
    """What the form says altogether; `faults` by field. `gone` are ticked packages that take no bid any more."""

    bids: list[WantedBid] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    limit: LimitPart | None = None
    faults: dict[str, str] = field(default_factory=dict)


def key_of(once: str, name: str) -> str:
    """The key of one bid of a form, which is sent as a whole."""
    return f"{once} {name}"


def sent_in(envelope: Envelope) -> list[Sent]:
    """The bids of a form that was sent, whatever else it says."""
    form = Form(envelope.fields)
    once = form.text("once")
    found = [Sent((ref,), key_of(once, ref)) for ref in form.under("bid-") if form.text(f"bid-{ref}")]
    bundle = tuple(ref for ref, text in form.under(f"{BUNDLE}-").items() if text)
    return [*found[:MOST], *([Sent(bundle, key_of(once, BUNDLE))] if bundle else [])]


def read(form: Form, offered: Mapping[str, Offered]) -> Answers:
    """The bids of the ticked packages and the bundle, and the general take limit (None: no figure is given)."""
    found = Answers(gone=gone_of(form.fields, offered))
    questions = _questions(form, offered, found)
    for ref in (ref for ref in offered if form.text(f"bid-{ref}")):
        content = _content(form, ref, offered[ref].terms, questions, found)
        if content is not None:
            found.bids.append(WantedBid(ref, (ref,), content))
    _either_or(form, found)
    _bundle(form, offered, questions, found)
    _refuse_same_order(form, found)
    found.limit = _limit(form, found)
    if not found.bids and not found.faults:
        found.faults["bid"] = ALL_GONE if found.gone else "tick at least one package that you bid for"
    return found


def gone_of(fields: Mapping[str, str], offered: Mapping[str, Offered]) -> list[str]:
    """The ticked packages that closed while the form was filled in, or are open no longer for another reason."""
    ticked = (name.removeprefix("bid-") for name, text in fields.items() if name.startswith("bid-") and text)
    return sorted(ref for ref in ticked if ref not in offered)


def _questions(form: Form, offered: Mapping[str, Offered], found: Answers) -> dict[str, str]:
    """One answer to each question, for all packages; asked for where a ticked one asks it."""
    answers: dict[str, str] = {}
    for question in {one.key: one for ref in offered for one in offered[ref].terms.questions}.values():
        name = f"answer-{question.key}"
        if form.text(name) in question.answers:
            answers[question.key] = form.text(name)
        else:
            found.faults[name] = f"choose an answer to “{question.text}”"
    return answers


def _content(form: Form, ref: str, terms: Terms, answers: Mapping[str, str], found: Answers) -> BidContent | None:
    asked = {question.key for question in terms.questions}
    try:
        card = terms.published_card or _card(form, ref)
        starts_on = form.day(f"start-{ref}", "say when you can start")
        preference = form.whole(f"order-{ref}", "write 1 for the one you want most, then 2 and so on", most=9_999)
    except BadInput as bad:
        found.faults[str(bad.field)] = str(bad.reason)
        return None
    return BidContent(
        card=card,
        starts_on=starts_on,
        answers=tuple(sorted((key, answer) for key, answer in answers.items() if key in asked)),
        preference=preference or None,
    )


def _card(form: Form, ref: str) -> RateCard:
    name = f"price-{ref}"
    prices = {Band.WEEKDAY: parse_pence(form.needed(name, "give a price"), field=name)}
    for band in _OTHER_BANDS:
        text = form.text(f"{band}-{ref}")
        if text:
            prices[band] = parse_pence(text, field=name)
    return RateCard.of(PriceBasis.PER_HOUR, prices)


def _either_or(form: Form, found: Answers) -> None:
    """Bids of one group name each other: of them one is wanted, never two."""
    groups: dict[str, list[str]] = {}
    for bid in found.bids:
        group = form.text(f"either-{bid.name}")
        if group:
            groups.setdefault(group, []).append(bid.name)
    others = {name: tuple(sorted(set(names) - {name})) for names in groups.values() if len(names) > 1 for name in names}
    with_gone = {form.text(f"either-{ref}") for ref in found.gone}
    for group, names in groups.items():
        if len(names) == 1 and group not in with_gone:
            found.faults[f"either-{names[0]}"] = "put at least two packages into a group of which you want one"
    found.bids = [replace(bid, content=replace(bid.content, not_with=others.get(bid.name, ()))) for bid in found.bids]


def _bundle(form: Form, offered: Mapping[str, Offered], answers: Mapping[str, str], found: Answers) -> None:
    ticked = [ref for ref, text in form.under(f"{BUNDLE}-").items() if text]
    rounds = [ref for ref in offered if ref in ticked]
    if not ticked:
        return
    if len(rounds) < len(ticked):
        # It is all or nothing: its price was not meant for the rest.
        found.faults[BUNDLE] = "a package of the bundle has closed, or is open to you no longer: choose the bundle anew"
        return
    if len(rounds) == 1:
        found.faults[BUNDLE] = "a bundle names two packages or more"
        return
    if len({offered[ref].asked.closing for ref in rounds}) > 1:
        found.faults[BUNDLE] = "a bundle names packages that close together"
        return
    content = _content(form, BUNDLE, replace(offered[rounds[0]].terms, published_card=None), answers, found)
    if content is not None:
        found.bids.append(WantedBid(BUNDLE, tuple(rounds), content))


def _refuse_same_order(form: Form, found: Answers) -> None:
    seen: dict[int, str] = {}
    for bid in found.bids:
        order = bid.content.preference
        if order is not None and seen.setdefault(order, bid.name) != bid.name:
            found.faults[f"order-{bid.name}"] = f"two packages have place {order} in your order: give each its own"


def _limit(form: Form, found: Answers) -> LimitPart | None:
    try:
        packages = form.whole("limit-packages", "write a whole number of packages")
        hours = form.whole("limit-hours", "write whole hours a week", most=100_000)
        starts = form.whole("limit-starts", "write a whole number of starts")
    except BadInput as bad:
        found.faults[str(bad.field)] = str(bad.reason)
        return None
    if packages is None and hours is None and starts is None:
        return None
    return LimitPart(packages=packages, minutes=None if hours is None else hours * 60, starts_a_week=starts)
