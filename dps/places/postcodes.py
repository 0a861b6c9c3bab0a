"""What a UK postcode looks like: one strict grammar, and words for everything that does not fit it.

`parse` accepts the complete form only and repairs nothing but case and spaces around and between the two halves.
A slip (O for 0, a stray comma) is refused with words; `suggestions` offers what may have been meant and applies
nothing. Whether a well-formed code exists is the directory's answer, not the grammar's.

Source: BS 7666 and the Royal Mail programmer's guide (which letter may stand where); the ONS directory, all of whose
codes fit but those of `HISTORIC_DISTRICTS` (tested).
"""

import html
import itertools
import re
import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum

from dps.kernel.errors import NotAPostcode

_DISTRICT = (
    "[A-PR-UWYZ][A-HK-Y]?(?:[1-9]?[0-9])"  # M1, M60, CT1, CT11
    "|[A-PR-UWYZ][0-9][A-HJKPSTUW]"  # W1A
    "|[A-PR-UWYZ][A-HK-Y][0-9][ABEHMNPRVWXY]"  # SW1A
    "|XX[1-9]?[0-9]"  # large senders' returns
)
_INWARD = "[0-9][ABD-HJLNP-UW-Z]{2}"
_TERRITORIES = "ASCN|BBND|BIQQ|FIQQ|PCRN|SIQQ|STHL|TDCU|TKCA"

_UNIT = re.compile(f"(?:{_DISTRICT}) *{_INWARD}|GIR *0AA|(?:{_TERRITORIES}) *1ZZ")
_WRITTEN_OUT = re.compile(rf"(?<![A-Z0-9])(?:{_UNIT.pattern})(?![A-Z0-9])")
_IN_TEXT = re.compile(_WRITTEN_OUT.pattern, re.IGNORECASE | re.ASCII)
_DISTRICT_ALONE = re.compile(f"{_DISTRICT}|GIR|{_TERRITORIES}")
_SECTOR = re.compile(f"({_DISTRICT}|GIR|{_TERRITORIES}) +([0-9])")
_OUTWARD_SHAPE = re.compile("(?P<first>[A-Z])(?P<second>[A-Z]?)(?:[0-9]{1,2}|[0-9](?P<last>[A-Z]))")
_LETTER_FOR_DIGIT = re.compile("[A-Z]{1,2}[0-9OIL]{1,2}")
_LETTERS = re.compile("[A-Z]+")
_READABLE = re.compile("[A-Z0-9]")

# Abolished districts that the directory still lists and today's rules of letters no longer allow.
HISTORIC_DISTRICTS = frozenset({"NPT", "W1M", "W1N", "W1R", "W1V", "W1X", "W1Y"})

_LONGEST_TO_GUESS_AT = 64
_MOST_SUGGESTIONS = 5
# Characters that a hand or a scanner takes for one another.
_LOOKALIKES = {
    "0": "O", "1": "IL", "2": "Z", "5": "S", "6": "G", "8": "B",
    "B": "8", "C": "G", "G": "6C", "I": "1L", "L": "1I", "M": "N", "N": "M", "O": "0", "S": "5", "U": "V",
    "V": "UY", "Y": "V", "Z": "2",
}  # fmt: skip
_MOST_SWAPS = 2


class Fault(StrEnum):
    """Why a text is no postcode."""

    EMPTY = "empty"
    DISTRICT_ONLY = "district_only"
    SECTOR_ONLY = "sector_only"
    TRUNCATED = "truncated"
    PUNCTUATION = "punctuation"
    FOREIGN_CHARACTERS = "foreign_characters"
    SPACING = "spacing"
    SEVERAL = "several"
    PSEUDO = "pseudo"
    HISTORIC = "historic"
    FORCES_NUMBER = "forces_number"
    FIRST_LETTER = "first_letter"
    SECOND_LETTER = "second_letter"
    LAST_OUTWARD_LETTER = "last_outward_letter"
    LETTER_FOR_DIGIT = "letter_for_digit"
    INWARD_LETTER = "inward_letter"
    SHAPE = "shape"


_WORDS = {
    Fault.EMPTY: "no postcode was given",
    Fault.DISTRICT_ONLY: "only the first half of a postcode; the part after the space is missing",
    Fault.SECTOR_ONLY: "only a postcode sector; its last two letters are missing",
    Fault.TRUNCATED: "the last letter of the postcode is missing",
    Fault.PUNCTUATION: "a postcode has letters, digits and one space, and nothing else",
    Fault.FOREIGN_CHARACTERS: "some characters only look like letters and digits; type the postcode again",
    Fault.SPACING: "the space stands in the wrong place; it comes before the last three characters",
    Fault.SEVERAL: "more than one postcode; give one",
    Fault.PSEUDO: "ZZ99 codes stand for 'no fixed abode' or 'not known'; they are no place",
    Fault.HISTORIC: "this district was abolished years ago; look up today's postcode",
    Fault.FORCES_NUMBER: "a BFPO number is no postcode",
    Fault.FIRST_LETTER: "no postcode begins with Q, V or X",
    Fault.SECOND_LETTER: "the second letter of a postcode is never I, J or Z",
    Fault.LAST_OUTWARD_LETTER: "this letter never ends the first half of a postcode",
    Fault.LETTER_FOR_DIGIT: "a letter stands where a digit belongs (O for 0, I for 1?)",
    Fault.INWARD_LETTER: "the last two letters of a postcode are never C, I, K, M, O or V",
    Fault.SHAPE: "not the shape of a UK postcode, such as L6 1AB",
}

# Asked in this order of a text in capitals; the first that fits names the fault.
_WHOLE_FAULTS = (
    (Fault.PSEUDO, re.compile("ZZ99 *[0-9][A-Z]{2}")),
    (Fault.FORCES_NUMBER, re.compile("BFPO *[0-9]+")),
    (Fault.HISTORIC, re.compile(f"(?:{'|'.join(sorted(HISTORIC_DISTRICTS))}) *{_INWARD}")),
    (Fault.PUNCTUATION, re.compile(r"(?s)\A.*[^A-Z0-9 ].*")),
    (Fault.DISTRICT_ONLY, _DISTRICT_ALONE),
    (Fault.SECTOR_ONLY, _SECTOR),
    (Fault.TRUNCATED, re.compile(f"(?:{_DISTRICT}) *[0-9][A-Z]")),
)


@dataclass(frozen=True, slots=True, order=True)
class Postcode:
    """A complete, well-formed postcode; `canonical` is upper case with one space: `L6 1AB`."""

    canonical: str

    def __post_init__(self) -> None:
        if canonical(self.canonical) != self.canonical:
            raise ValueError("not a canonical postcode: make one with parse()")

    @property
    def district(self) -> str:
        """The first half (outcode): `L6`."""
        return self.canonical[:-4]

    @property
    def sector(self) -> str:
        """The first half and the digit after it: `L6 1`."""
        return self.canonical[:-2]

    @property
    def area(self) -> str:
        """The letters it begins with: `L`."""
        return area_of(self.district)

    def __str__(self) -> str:
        return self.canonical


def parse(text: str) -> Postcode:
    """The postcode that `text` is, whatever its case and spaces; refuses everything else.

    Errors: `NotAPostcode`, with `fault` (a `Fault`), `outcode` where the first half could be read, and `suggestions`.
    """
    plain = _plain(text)
    code = canonical(plain) if plain is not None else None
    if code is None:
        fault = _fault(text, plain)
        raise NotAPostcode(_WORDS[fault], fault=fault, outcode=_outcode(plain), suggestions=suggestions(text))
    return Postcode(code)


def parse_district(text: str) -> str:
    """A district's canonical form (`L6`); refuses what has not the form of one."""
    plain = _plain(text) or ""
    if not _DISTRICT_ALONE.fullmatch(plain):
        raise NotAPostcode("not the shape of a postcode district, such as L6", fault=Fault.SHAPE)
    return plain


def parse_sector(text: str) -> str:
    """A sector's canonical form (`L6 1`, the space is needed: L61 is a district); refuses anything else."""
    match = _SECTOR.fullmatch(_plain(text) or "")
    if match is None:
        raise NotAPostcode("not the shape of a postcode sector, such as L6 1", fault=Fault.SHAPE)
    return f"{match[1]} {match[2]}"


def canonical(plain: str) -> str | None:
    """The canonical form of a code in capitals, spaced in any way (`L6  1AB`), or None where it is no postcode."""
    match = _UNIT.fullmatch(plain)
    return _joined(match) if match else None


def written_in(text: str) -> list[tuple[int, int]]:
    """Where whole postcodes stand in a running text, in any case, as `text[start:end]`."""
    return [match.span() for match in _IN_TEXT.finditer(text)]


def area_of(district: str) -> str:
    """The letters a district begins with: `CT` of `CT11`."""
    match = _LETTERS.match(district)
    if match is None:
        raise ValueError("a district begins with a letter")
    return match[0]


def suggestions(text: str, districts: Collection[str] | None = None) -> tuple[str, ...]:
    """Postcodes that `text` may have been meant as, likeliest first, at most five; none for a good postcode.

    Offered to a person, never applied. `districts`, where given, are the only ones worth offering.
    """
    if len(text) > _LONGEST_TO_GUESS_AT:
        return ()
    plain = _plain(text)
    if plain is not None and (canonical(plain) or plain.startswith("ZZ99")):
        return ()
    readable = unicodedata.normalize("NFKC", html.unescape(text)).upper()
    written_out = [_joined(match) for match in _WRITTEN_OUT.finditer(readable)]
    for meant in (written_out, *_respellings("".join(_READABLE.findall(readable)))):
        worth = [code for code in dict.fromkeys(meant) if districts is None or code[:-4] in districts]
        if worth:
            return tuple(worth[:_MOST_SUGGESTIONS])
    return ()


def _plain(text: str) -> str | None:
    """Upper case with plain spaces, or None where a character would have to be guessed at."""
    spaced = text.replace("\N{NO-BREAK SPACE}", " ").replace("\t", " ").strip()
    return spaced.upper() if spaced.isascii() else None


def _joined(match: re.Match[str]) -> str:
    code = match[0].replace(" ", "")
    return f"{code[:-3]} {code[-3:]}"


def _respellings(compact: str) -> Iterator[list[str]]:
    """The postcodes that no, one, two look-alike swaps make of these characters."""
    if not 5 <= len(compact) <= 7:
        return
    for swaps in range(_MOST_SWAPS + 1):
        yield [code for code in map(canonical, _swapped(compact, swaps)) if code]


def _swapped(compact: str, swaps: int) -> Iterator[str]:
    for places in itertools.combinations(range(len(compact)), swaps):
        for letters in itertools.product(*(_LOOKALIKES.get(compact[place], "") for place in places)):
            swapped = list(compact)
            for place, letter in zip(places, letters, strict=True):
                swapped[place] = letter
            yield "".join(swapped)


def _outcode(plain: str | None) -> str | None:
    """The first half, where it stands apart and the second half is missing or of the right length."""
    halves = (plain or "").split()
    if not halves or len(halves) > 2 or (len(halves) == 2 and len(halves[1]) != 3):
        return None
    known = _DISTRICT_ALONE.fullmatch(halves[0]) or halves[0] == "ZZ99"
    return halves[0] if known else None


def _fault(text: str, plain: str | None) -> Fault:
    if not text.strip():
        return Fault.EMPTY
    if plain is None:
        return Fault.FOREIGN_CHARACTERS
    if len(_WRITTEN_OUT.findall(plain)) > 1:
        return Fault.SEVERAL
    for fault, pattern in _WHOLE_FAULTS:
        if pattern.fullmatch(plain):
            return fault
    if canonical(plain.replace(" ", "")):
        return Fault.SPACING
    outward, _, inward = plain.rpartition(" ") if " " in plain else (plain[:-3], "", plain[-3:])
    return _outward_fault(outward.strip()) or _inward_fault(inward) or Fault.SHAPE


def _outward_fault(outward: str) -> Fault | None:
    if _DISTRICT_ALONE.fullmatch(outward):
        return None
    shape = _OUTWARD_SHAPE.fullmatch(outward)
    if shape is None:
        return Fault.LETTER_FOR_DIGIT if _LETTER_FOR_DIGIT.fullmatch(outward) else Fault.SHAPE
    if shape["first"] in "QVX":
        return Fault.FIRST_LETTER
    if shape["second"] and shape["second"] in "IJZ":
        return Fault.SECOND_LETTER
    return Fault.LAST_OUTWARD_LETTER if shape["last"] else Fault.SHAPE


def _inward_fault(inward: str) -> Fault | None:
    if re.fullmatch("[A-Z]{3}", inward):
        return Fault.LETTER_FOR_DIGIT
    return Fault.INWARD_LETTER if re.fullmatch("[0-9]([A-Z][CIKMOV]|[CIKMOV][A-Z])", inward) else None
