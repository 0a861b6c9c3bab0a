"""What in a free text may tell who the person is: shown to whoever confirms the words, before anybody else reads them.

A help to the eye and no judge: it finds what is written as names, numbers, addresses and dates usually are, and what
this person's own record holds. A broker confirms each text, whatever is found or not (rule 6). Pure, and linear in the
length of the text. Source: design.md law 7, acceptance.md line 12.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from dps.kernel.errors import BadInput
from dps.packages.facts import FreeText
from dps.packages.identity import Identity, parse_nhs_number
from dps.places.postcodes import written_in

_SHORTEST_NAME = 3


class Telltale(StrEnum):
    """What something in a text looks like."""

    OWN_RECORD = "own_record"
    NAME = "name"
    PHONE = "phone"
    NHS_NUMBER = "nhs_number"
    EMAIL = "email"
    LINK = "link"
    POSTCODE = "postcode"
    ADDRESS = "address"
    DATE_OF_BIRTH = "date_of_birth"


@dataclass(frozen=True, slots=True, order=True, repr=False)
class Found:
    """`text[start:end]` of one field looks like `kind`. It withholds itself from logs: what it says may be true."""

    field: str
    start: int
    end: int
    kind: Telltale
    excerpt: str

    def __repr__(self) -> str:
        return f"Found({self.kind}, withheld)"


_STREET = "street|road|avenue|lane|close|drive|way|court|crescent|terrace|gardens|grove|place|square|walk|house|flats?"
_MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
_TITLES = "mr|mrs|ms|miss|mx|dr|prof|professor|rev|reverend|sir|lady|lord|sister|father"
_KIN = (
    "husband|wife|partner|son|daughter|mother|father|brother|sister|niece|nephew|neighbour|friend|aunt|uncle|cousin"
    "|grandson|granddaughter|carer|called|named"
)
# Each pattern has bounded repeats alone, so that no text makes it slow.
_PATTERNS: tuple[tuple[Telltale, re.Pattern[str]], ...] = (
    (Telltale.EMAIL, re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}")),
    (Telltale.LINK, re.compile(r"(?:https?://|www\.)\S{1,200}", re.IGNORECASE)),
    (Telltale.PHONE, re.compile(r"(?<![\d+])(?:\+44|0044|0)[ \-]?(?:\(0\)[ \-]?)?(?:\d[ \-]?){8,9}\d(?!\d)")),
    (Telltale.NAME, re.compile(rf"\b(?i:{_TITLES})\b\.? {{0,2}}[A-Z][\w'’-]{{1,40}}")),
    (Telltale.NAME, re.compile(rf"\b(?i:{_KIN})\b,? {{1,2}}(?:\()?([A-Z][a-z'’-]{{1,40}}(?: [A-Z][a-z'’-]{{1,40}})?)")),
    (
        Telltale.ADDRESS,
        re.compile(rf"\b\d{{1,4}}[A-Za-z]?,? (?:[A-Z][\w'’-]{{1,40}} ){{1,3}}(?i:{_STREET})\b"),
    ),
    (Telltale.ADDRESS, re.compile(r"\b(?i:flat|apartment|room) {1,2}\d{1,4}[A-Za-z]?\b")),
    (
        Telltale.DATE_OF_BIRTH,
        re.compile(r"\b\d{1,2}(?:/|-|\.)\d{1,2}(?:/|-|\.)(?:19\d\d|20[0-2]\d|\d\d)\b"),
    ),
    (
        Telltale.DATE_OF_BIRTH,
        re.compile(rf"\b\d{{1,2}}(?:st|nd|rd|th)? (?i:{_MONTHS})[a-z]{{0,6}},? (?:19\d\d|20[0-2]\d)\b"),
    ),
)
_TEN_DIGITS = re.compile(r"(?<!\d)\d{3}[ \-]?\d{3}[ \-]?\d{4}(?!\d)")
_WORD = re.compile(r"[^\W\d_][\w'’-]{0,60}")


def telltales(words: FreeText, identity: Identity) -> tuple[Found, ...]:
    """Everything found in the pen picture and the outcomes, in order; of what overlaps the longest is kept."""
    own = _own_words(identity)
    texts = [("pen_picture", words.pen_picture), *(("outcomes", outcome) for outcome in words.outcomes)]
    return tuple(one for field, text in texts for one in _longest(_in_text(field, text, own)))


def _in_text(field: str, text: str, own: frozenset[str]) -> Iterator[Found]:
    for kind, pattern in _PATTERNS:
        for match in pattern.finditer(text):
            yield Found(field, match.start(), match.end(), kind, match.group())
    for match in _TEN_DIGITS.finditer(text):
        if _is_nhs_number(match.group()):
            yield Found(field, match.start(), match.end(), Telltale.NHS_NUMBER, match.group())
    for start, end in written_in(text):
        yield Found(field, start, end, Telltale.POSTCODE, text[start:end])
    for match in _WORD.finditer(text):
        if match.group().casefold() in own:
            yield Found(field, match.start(), match.end(), Telltale.OWN_RECORD, match.group())


def _longest(found: Iterator[Found]) -> list[Found]:
    """Parted: of two that overlap the one that began earlier, or is longer, stands."""
    kept: list[Found] = []
    for one in sorted(found, key=lambda one: (one.start, -one.end, one.kind)):
        if not kept or one.start >= kept[-1].end:
            kept.append(one)
    return kept


def _own_words(identity: Identity) -> frozenset[str]:
    """The words of this person's own record that name somebody or somewhere: not `and`, not `the`, no street type."""
    record = " ".join((identity.name, identity.contact, identity.address.replace("\n", " ")))
    common = {*_STREET.replace("?", "").split("|"), *_TITLES.split("|"), *_KIN.split("|")}
    common |= {"and", "the", "flat", "north", "south", "east", "west", "upper", "lower", "great", "ward", "hospital"}
    return frozenset(
        word.casefold()
        for word in _WORD.findall(record)
        if len(word) >= _SHORTEST_NAME and word[0].isupper() and word.casefold() not in common
    )


def _is_nhs_number(text: str) -> bool:
    try:
        parse_nhs_number(text)
    except BadInput:
        return False
    return True
