"""References: forgiving to read, merciless to slips, impossible to count through."""

from itertools import product

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dps.kernel.entropy import SeededEntropy, SystemEntropy
from dps.kernel.errors import BadReference
from dps.kernel.references import ALPHABET, RANDOM_CHARACTERS, Kind, kind_of, new_reference, parse_reference

references = st.builds(new_reference, st.sampled_from(Kind), st.integers(0, 2**64).map(SeededEntropy))
LETTERS_AND_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


def _sounds(character: str) -> str:
    return {"O": "0", "I": "1", "L": "1"}.get(character, character)


@given(references)
def test_a_reference_is_its_own_canonical_form(reference: str) -> None:
    prefix, first, second, third = reference.split("-")

    assert parse_reference(reference) == reference
    assert parse_reference(reference, Kind(prefix)) == reference
    assert kind_of(reference) is Kind(prefix)
    assert all(len(group) == 4 and set(group) <= set(ALPHABET) for group in (first, second, third))


@given(references, st.data())
def test_it_is_read_in_any_case_with_any_gaps_and_with_o_for_0_and_i_or_l_for_1(
    reference: str, chosen: st.DataObject
) -> None:
    typed = ""
    for character in reference.replace("-", ""):
        alike = [other for other in LETTERS_AND_DIGITS if _sounds(other) == _sounds(character)]
        letter = chosen.draw(st.sampled_from(alike))
        gap = chosen.draw(st.sampled_from(["", "", "", "-", " ", "–", "\u00a0"]))
        typed += (letter.lower() if chosen.draw(st.booleans()) else letter) + gap

    assert parse_reference(f" {typed}\n") == reference


@given(references, st.integers(0, 14), st.sampled_from(LETTERS_AND_DIGITS))
def test_one_wrong_character_is_always_noticed(reference: str, place: int, wrong: str) -> None:
    characters = list(reference.replace("-", ""))
    assume(_sounds(characters[place]) != _sounds(wrong))
    characters[place] = wrong

    with pytest.raises(BadReference):
        parse_reference("".join(characters))


@given(references, st.integers(0, 14), st.integers(0, 14))
def test_two_swapped_characters_are_always_noticed(reference: str, one: int, other: int) -> None:
    characters = list(reference.replace("-", ""))
    assume(_sounds(characters[one]) != _sounds(characters[other]))
    characters[one], characters[other] = characters[other], characters[one]

    with pytest.raises(BadReference):
        parse_reference("".join(characters))


class Chosen(SeededEntropy):
    """Chance that writes zeros, and one character where it is told to."""

    def __init__(self, place: int, character: str) -> None:
        super().__init__(0)
        self._bits = ALPHABET.index(character) << 5 * (10 - place)

    def token(self, n_bytes: int) -> bytes:
        return (self._bits << 1).to_bytes(n_bytes, "big")


@pytest.mark.parametrize("kind", Kind)
def test_no_character_of_a_prefix_swapped_with_another_makes_a_reference_of_another_kind(kind: Kind) -> None:
    """Two kinds whose prefixes differ in one letter could hide such a swap: letters count otherwise in a prefix."""
    for place, character in product(range(11), ALPHABET):
        written = new_reference(kind, Chosen(place, character)).replace("-", "")
        for one, other in product(range(3), (3 + place, 14)):
            slipped = list(written)
            slipped[one], slipped[other] = slipped[other], slipped[one]
            if _sounds(slipped[one]) != _sounds(slipped[other]):
                with pytest.raises(BadReference):
                    parse_reference("".join(slipped))


@given(references, st.sampled_from(Kind))
def test_a_reference_of_another_kind_is_refused(reference: str, kind: Kind) -> None:
    assume(kind is not kind_of(reference))

    with pytest.raises(BadReference):
        parse_reference(reference, kind)


@given(st.text(max_size=80))
def test_any_text_is_a_reference_or_refused(text: str) -> None:
    try:
        canonical = parse_reference(text)
    except BadReference:
        return
    assert parse_reference(canonical) == canonical


@pytest.mark.parametrize("text", ["", "PKG", "PKG-7K3M-9QXR", "ABC-0000-0000-0000", "PKG-UUUU-UUUU-UUUU", "P" * 10**6])
def test_what_is_no_reference_is_refused(text: str) -> None:
    with pytest.raises(BadReference):
        parse_reference(text)


def test_a_kind_is_read_from_the_canonical_form_only() -> None:
    reference = new_reference(Kind.BID, SeededEntropy(1))

    with pytest.raises(BadReference):
        kind_of(reference.lower())


def test_no_two_kinds_read_alike() -> None:
    assert len({"".join(map(_sounds, kind.value)) for kind in Kind}) == len(Kind)
    assert all(len(kind.value) == 3 and kind.value.isalpha() for kind in Kind)


def test_at_least_50_bits_are_random_and_every_character_moves() -> None:
    drawn = [new_reference(Kind.BID, SystemEntropy()) for _ in range(2_000)]

    assert RANDOM_CHARACTERS * 5 >= 50
    assert len(set(drawn)) == 2_000
    for place in (4, 5, 6, 7, 9, 10, 11, 12, 14, 15, 16, 17):
        assert {reference[place] for reference in drawn} == set(ALPHABET)


def test_the_same_seed_makes_the_same_references() -> None:
    assert new_reference(Kind.PACKAGE, SeededEntropy(7)) == new_reference(Kind.PACKAGE, SeededEntropy("7"))


@pytest.mark.parametrize("kind", [None, *Kind])
def test_what_is_no_reference_is_shown_one_of_its_kind_that_would_be_read(kind: Kind | None) -> None:
    with pytest.raises(BadReference) as refused:
        parse_reference("x", kind)

    example = str(refused.value).rpartition(" ")[2]
    assert parse_reference(example, kind or Kind.PACKAGE) == example
