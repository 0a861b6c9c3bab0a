"""Drafts on the page of many bids: its fields as a draft for each ticked package, and such drafts as its fields.

Pure. A draft that was saved on a package's own page is read here too, and the other way round.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from web.pages.forms import Form
from web.pages.portal.drafts import Draft
from web.pages.portal.many_form import BUNDLE

_BANDS = ("weekend", "bank_holiday", "night")
_OF_A_PACKAGE = {
    "price": "price-weekday",
    **{band: f"price-{band}" for band in _BANDS},
    "start": "starts_on",
    "order": "preference",
    "either": "either",
    "bid": "ticked",
    BUNDLE: "in_bundle",
}
"""How this page calls a package's field, before its round, and how a draft calls it."""

_OF_THE_BUNDLE = {"price": "bundle-price", "start": "bundle-start", "order": "bundle-order"}
_OF_ALL = ("answer-", "limit-")


def as_drafts(form: Form, rounds: Iterable[str]) -> dict[str, dict[str, str]]:
    """What is kept of each of these rounds that is ticked, alone or in the bundle."""
    common = {name: form.text(name) for name in form.fields if name.startswith(_OF_ALL)}
    common |= {kept: form.text(f"{name}-{BUNDLE}") for name, kept in _OF_THE_BUNDLE.items()}
    return {
        ref: common | {kept: form.text(f"{name}-{ref}") for name, kept in _OF_A_PACKAGE.items()}
        for ref in rounds
        if form.text(f"bid-{ref}") or form.text(f"{BUNDLE}-{ref}")
    }


def as_fields(drafts: Iterable[Draft]) -> dict[str, str]:
    """What this browser's drafts fill in; of what is said for all, what was saved last."""
    found: dict[str, str] = {}
    for draft in drafts:
        if draft.fields is None:
            continue
        found |= {
            f"{name}-{draft.round}": draft.fields[kept] for name, kept in _OF_A_PACKAGE.items() if kept in draft.fields
        }
        found |= {
            f"{name}-{BUNDLE}": draft.fields[kept] for name, kept in _OF_THE_BUNDLE.items() if kept in draft.fields
        }
        found |= {name: text for name, text in draft.fields.items() if name.startswith(_OF_ALL)}
    return found


def saved_at(drafts: Mapping[str, Draft]) -> datetime | None:
    """When the last of this browser's was saved."""
    return max((draft.saved_at for draft in drafts.values() if draft.fields is not None), default=None)
