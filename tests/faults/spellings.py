"""How a secret may stand in bytes: as text in several alphabets, as a number, in words, packed, compressed.

The prices that are planted share all but their last two digits (`PriceCanary.price`), and so does what half an hour of
each costs: what all of them share is looked for, so that one look finds any. Binary numbers are not looked for: in a
database's own pages they would be found by chance, and its dump says the same columns as text.
"""

import base64
import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from zipfile import BadZipFile, ZipFile

import numpy as np

_ONES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
         "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen")  # fmt: skip
_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")


@dataclass(frozen=True)
class Shape:
    """What stands there only in certain company; `needles` are the words of which it holds one, looked for first."""

    needles: tuple[bytes, ...]
    pattern: re.Pattern[bytes]


Spelling = bytes | Shape

MOST = 50
"""So many prices one canary has."""


def in_words(number: int) -> str:
    """`seventy-one million eight hundred …`, below a thousand million."""
    for size, name in ((1_000_000, "million"), (1_000, "thousand"), (100, "hundred")):
        if number >= size:
            rest = number % size
            return f"{in_words(number // size)} {name}" + (f" {in_words(rest)}" if rest else "")
    tens, ones = divmod(number, 10)
    return _ONES[number] if number < 20 else _TENS[tens] + (f"-{_ONES[ones]}" if ones else "")


def of_text(text: str) -> Iterator[bytes]:
    """The text in the alphabets and wrappings that programs put it in; in any case of its letters."""
    for said in dict.fromkeys((text, text.upper(), text.lower())):
        plain = said.encode()
        yield plain
        yield said.encode("utf-16-le")
        yield said.encode("utf-16-be")
        yield plain.hex().encode()
        yield plain.hex().upper().encode()
        for before, cut in ((0, 0), (1, 2), (2, 3)):
            # Whatever stands before and after it: the characters that depend on neighbours are left out.
            packed = base64.b64encode(b"\0" * before + plain).rstrip(b"=")
            whole = packed[cut : len(packed) if not (before + len(plain)) % 3 else -1]
            yield whole
            yield whole.replace(b"+", b"-").replace(b"/", b"_")
        if said != (quoted := "".join(f"&#{ord(one)};" if one in "'&<>\"" else one for one in said)):
            yield quoted.encode()


@dataclass(frozen=True)
class PriceCanary:
    """Prices that nothing else says: `price(0)` to `price(49)`, in pence."""

    pounds: int = 148_172

    def price(self, number: int) -> int:
        assert 0 <= number < MOST
        return self.pounds * 100 + number

    @property
    def spellings(self) -> tuple[Spelling, ...]:
        """Of the price and of the half of it that half an hour a week comes to."""
        return tuple(one for pounds in (self.pounds, self.pounds // 2) for one in _of_price(pounds))


def _of_price(pounds: int) -> Iterator[Spelling]:
    """What all of `pounds` and some pence share, however it is written."""
    shared = str(pounds).encode()
    # As a plain number it stands alone: in a digest the same digits would mean nothing.
    yield Shape((shared,), re.compile(rb"(?<![0-9a-fA-F])%s[0-9]{2}(?![0-9a-fA-F])" % shared))
    yield Shape((shared,), re.compile(rb"(?<![0-9])%s\.[0-9]{2}" % shared))
    yield f"{pounds:,}".encode()
    yield in_words(pounds).encode()
    yield from (spelling for spelling in of_text(str(pounds)) if spelling != shared)
    whole = [pounds * 100 + pence for pence in range(MOST)]
    numbers = b"|".join(f"{pence:x}".encode() for pence in whole)
    yield Shape((b"0x", b"0X"), re.compile(b"0x(?:%s)" % numbers, re.IGNORECASE))


def of_person(facts: Iterable[str]) -> tuple[bytes, ...]:
    """What is known of a person, each as written and without its spaces."""
    texts = dict.fromkeys(one for fact in facts for one in (fact, fact.replace(" ", "")))
    return tuple(dict.fromkeys(spelling for text in texts for spelling in of_text(text)))


class Sieve:
    """Which of many texts may stand in some bytes, by the first four bytes of each: one pass instead of one a text."""

    def __init__(self, texts: Iterable[bytes]) -> None:
        self._by_head: dict[bytes, list[bytes]] = {}
        self._starts, self._goes_on = np.zeros(1 << 16, bool), np.zeros(1 << 16, bool)
        for text in texts:
            head = text[:4]
            self._by_head.setdefault(head, []).append(text)
            self._starts[head[0] << 8 | head[1]] = True
            self._goes_on[head[2] << 8 | head[3]] = True

    def of(self, content: bytes) -> Iterator[bytes]:
        """Those whose first four bytes stand there."""
        signs = np.frombuffer(content, np.uint8).astype(np.uint16)
        pairs = signs[:-1] << 8 | signs[1:]
        places = np.flatnonzero(self._starts[pairs[:-2]] & self._goes_on[pairs[2:]])
        heads = {content[place : place + 4] for place in places.tolist()}
        for head in heads & self._by_head.keys():
            yield from self._by_head[head]


@dataclass
class Search:
    """Looks for spellings in everything that it is shown; a hit names where, never what else stood there."""

    spellings: Sequence[Spelling]
    hits: list[str] = field(default_factory=list)
    looked_at: int = 0
    bytes_read: int = 0
    _shapes: list[Shape] = field(init=False)
    _sieve: Sieve = field(init=False)

    def __post_init__(self) -> None:
        self._shapes = [one for one in self.spellings if isinstance(one, Shape)]
        self._sieve = Sieve(one for one in self.spellings if isinstance(one, bytes))

    def look(self, where: str, content: bytes) -> bool:
        """Whether it stands there, or in what is packed there."""
        found = False
        for part in (content, *_unpacked(content)):
            self.bytes_read += len(part)
            hit = next(self._standing_in(part), None)
            if hit is not None:
                found = True
                self.hits.append(f"{where}: {hit[:40]!r}")
        self.looked_at += 1
        return found

    def _standing_in(self, content: bytes) -> Iterator[bytes]:
        yield from (one for one in self._sieve.of(content) if one in content)
        for shape in self._shapes:
            if any(needle in content for needle in shape.needles) and shape.pattern.search(content):
                yield shape.pattern.pattern


def _unpacked(content: bytes) -> Iterator[bytes]:
    """What a spreadsheet's or a letter's file holds packed."""
    if content.startswith(b"PK"):
        try:
            with ZipFile(BytesIO(content)) as pack:
                yield from (pack.read(name) for name in pack.namelist())
        except BadZipFile:
            return
    if content.startswith(b"%PDF"):
        for stream in re.findall(rb"stream\r?\n(.{1,1000000}?)\r?\nendstream", content, re.DOTALL):
            try:
                yield zlib.decompress(stream)
            except zlib.error:
                continue
