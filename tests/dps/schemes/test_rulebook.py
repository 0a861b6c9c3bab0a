"""The rulebook: whatever changes in the rules changes in print, and nothing a file says becomes markup."""

import json
from collections.abc import Iterator
from enum import StrEnum
from typing import Any

import pytest
from pydantic import BaseModel

from dps.kernel.errors import Corrupted
from dps.schemes.loader import canonical, from_canonical, preset, presets, rule_hash
from dps.schemes.model import Demo, Scheme, Section, Terms
from dps.schemes.rulebook import rulebook
from dps.schemes.shape import section_of
from dps.schemes.wording import (
    EVALUATIONS,
    FORMULAS,
    LEGAL_BASES,
    MODES,
    NATIONS,
    REACHES,
    SHAPES,
    TERMS,
    TIES,
    URGENCIES,
)

Way = tuple[str | int, ...]

# Values of every kind that a text key may have: the first that a key takes is its other value.
TEXTS = (
    *("changed", "6h", "2031-05-06", "10:07:00", "E06000001", "#000000", "scotland", "psr", "fixed_price"),
    *("linear_in_envelope", "lowest_price", "direct_award", "border", "monthly", "published", "joint", "number"),
    *("existing_provider", "crisis", "inadequate", "per_package", "visit", "delivered", "commissioned", "relationship"),
    *("end", "spend", "transfer", "consortium", "lead", "several", "night", "separate_rates"),
)


@pytest.mark.slow
def test_every_key_that_a_scheme_has_is_said() -> None:
    said = {("Ladder", "ends")}  # it has no other value yet
    for key in presets():
        rules = json.loads(canonical(preset(key)))
        before = _print(preset(key))
        for way, section_and_field in _leaves(rules, Scheme, ()):
            if section_and_field in said:
                continue
            changed = next(_changed(rules, way), None)
            if changed is not None and _print(changed) != before:
                said.add(section_and_field)

    for section in Section.__subclasses__():
        for name, field in section.model_fields.items():
            if section is not Demo and section_of(field.annotation) is None:
                assert (section.__name__, name) in said


@pytest.mark.parametrize("key", presets())
def test_a_rulebook_names_its_rules_hash_and_every_assumption(key: str) -> None:
    scheme = preset(key)

    text = rulebook(scheme)

    assert rule_hash(scheme) in text
    assert all(f"- {assumption}\n" in text for assumption in scheme.assumed)
    assert text.endswith("\n")
    assert not text.endswith("\n\n")


def test_liverpools_five_hours_stand_in_its_rulebook() -> None:
    text = rulebook(preset("liverpool"))

    assert "acceptances are gathered to the end; a published order decides between them, never speed." in text
    assert "It closes 5 hours after it opens." in text


def test_a_ranked_stage_says_how_long_each_provider_has_to_answer() -> None:
    text = rulebook(preset("st-helens"))

    assert "Each answers within 2 hours of being asked, or the next is." in text


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("kingston", "for each lot one provider in each locality, for which its neighbours give cover."),
        ("kingston", "for each lot several providers, each for the whole of the scheme."),
        ("halton", "for each lot one provider, for the whole of the scheme."),
        ("cornwall", "for each lot several providers, each for the localities it chose."),
    ],
)
def test_a_lists_shape_stands_in_the_rulebook(key: str, words: str) -> None:
    assert words in rulebook(preset(key))


def test_text_of_a_file_never_becomes_markup() -> None:
    hostile = preset("liverpool").model_copy(update={"name": "<script>| `a`\n# b \\"})

    first = rulebook(hostile).splitlines()[0]

    assert first == "# &lt;script>\\| 'a' # b \\\\"


@pytest.mark.parametrize(
    "words", [EVALUATIONS, FORMULAS, LEGAL_BASES, MODES, NATIONS, REACHES, SHAPES, TIES, URGENCIES]
)
def test_every_choice_has_its_own_words(words: dict[StrEnum, str]) -> None:
    kind = type(next(iter(words)))

    assert set(words) == set(kind)
    assert len(set(words.values())) == len(words)


def test_every_term_has_its_words() -> None:
    assert set(TERMS) == set(Terms.model_fields)


def _print(scheme: Scheme) -> str:
    """The rulebook without the hash, which changes with anything."""
    return rulebook(scheme).replace(rule_hash(scheme), "")


def _leaves(value: dict[str, Any], section: type[BaseModel], way: Way) -> Iterator[tuple[Way, tuple[str, str]]]:
    """The way to each value, with the section and the field that it belongs to."""
    for name, inner in value.items():
        here = (*way, name)
        child = section_of(section.model_fields[name].annotation)
        belongs = (section.__name__, name)
        if child is None:
            yield here, belongs
            continue
        if inner is None:
            continue  # a section that this scheme does without
        rows = list(enumerate(inner)) if isinstance(inner, list) else [(None, inner)]
        for place, row in rows:
            below = here if place is None else (*here, place)
            yield from _leaves(row, child, below)


def _changed(rules: dict[str, Any], way: Way) -> Iterator[Scheme]:
    """Schemes of a sound shape in which the value at `way` is another."""
    value: Any = rules
    for part in way:
        value = value[part]
    for other in _others(value):
        copy = json.loads(json.dumps(rules))
        holder: Any = copy
        for part in way[:-1]:
            holder = holder[part]
        holder[way[-1]] = other
        try:
            yield from_canonical(json.dumps(copy))
        except Corrupted:
            continue


def _others(value: Any) -> Iterator[Any]:
    match value:
        case bool():
            yield not value
        case int():
            yield from (value + 1, value - 1)
        case str():
            yield from (text for text in TEXTS if text != value)
        case None:
            yield from (*TEXTS, 7, True)
        case list():
            yield from ([*value, text] for text in TEXTS)
        case dict():
            for name, inner in value.items():
                if isinstance(inner, int):
                    yield from ({**value, name: inner + 1}, {**value, name: inner - 1})
                else:
                    yield from ({**value, name: text} for text in TEXTS if text != inner)
            yield {**value, "changed": 7}
