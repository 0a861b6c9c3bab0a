"""The loader: strict about keys and kinds, all faults of a file at once, one hash for one meaning."""

import json
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dps.kernel.errors import BadInput, BadScheme, Corrupted, NotFound
from dps.schemes.loader import canonical, from_canonical, hash_of, load, preset, presets, rule_hash, with_term
from dps.schemes.model import LegalBasis, Scheme
from tests.dps.schemes.files import faults_of, text_of, with_changes

SHAPES = [
    ({'mode = "accept': 'mood = "accept'}, "ladders[0].stages[0].mood", "(did you mean 'mode'?)"),
    ({"[unfilled]": "[unfiled]"}, "unfiled", "(did you mean 'unfilled'?)"),
    ({"restart = ": "zzz = 1\nrestart = "}, "unfilled.zzz", "known are restart, open_list, placed_otherwise"),
    ({"entry_pence = ": "entry_penny = 3\nentry_pence = "}, "allocation.terms.entry_penny", "'entry_pence'"),
    ({"window = ": "#"}, "ladders[0].stages[0].window", "is missing"),
    ({'ends = "unfilled"': ""}, "ladders[0].ends", "is missing"),
    ({'window = "5h"': 'window = "5 hours"'}, "ladders[0].stages[0].window", "'5 hours' is no window: write 5h"),
    ({'window = "5h"': "window = 5"}, "ladders[0].stages[0].window", "write it as a text such as '5h'"),
    ({"acceptance_window": "sealed_bids"}, "ladders[0].stages[0].mode", "(did you mean 'sealed_bid'?)"),
    ({'closing = "published"': 'closing = "at"'}, "ladders[0].stages[1].closing", "'at' is none of own, published"),
    ({"price_weight = 70": 'price_weight = "70"'}, "evaluation.price_weight", "must be a whole number"),
    ({"price_weight = 70": "price_weight = 70.0"}, "evaluation.price_weight", "must be a whole number"),
    ({"price_weight = 70": "price_weight = true"}, "evaluation.price_weight", "must be a whole number"),
    ({"price_weight = 70": "price_weight = 101"}, "evaluation.price_weight", "must be at most 100"),
    ({"entry_pence = 5000": "entry_pence = -1"}, "allocation.terms.entry_pence", "must be at least 0"),
    ({"open_list = true": 'open_list = "yes"'}, "unfilled.open_list", "must be true or false"),
    ({"starts = 2017-10-01": 'starts = "October 2017"'}, "term.starts", "must be a date such as 2017-04-01"),
    ({"starts = 2017-10-01": "starts = 2017-10-01T00:00:00"}, "term.starts", "must be a date such as 2017-04-01"),
    ({'opens = "09:00"': 'opens = "9 am"'}, "hours.opens", "must be a time of day"),
    ({'opens = "09:00"': 'opens = "09:00:30"'}, "hours.opens", "must be whole minutes"),
    ({'opens = "09:00"': 'opens = "09:00+01:00"'}, "hours.opens", "without a zone"),
    ({"08:00:00+01:00": "08:00:00"}, "demo.starts_at", "must say its offset"),
    ({'lots = ["personal-care", ': 'lots = "personal-care"#'}, "ladders[0].lots", "must be a list in square brackets"),
    ({'lists = ["preferred"]': "lists = []"}, "ladders[0].stages[0].lists", "needs at least 1"),
    ({'key = "preferred"': 'key = "Preferred ones"'}, "lists[0].key", "lower-case letters, digits and single hyphens"),
    ({"E08000012": "Liverpool"}, "authorities[0].lads[0]", "a local authority district code"),
    ({"outstanding = 100": "excellent = 100"}, "quality.scores.excellent", "'excellent' is none of outstanding, good"),
    ({"[publication]": "[[publication]]"}, "publication", "must be a table of keys and values"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "key", "words"), SHAPES, ids=lambda value: str(value)[:40])
def test_a_value_of_the_wrong_kind_is_refused_in_plain_words(changes: dict[str, str], key: str, words: str) -> None:
    faults = faults_of(with_changes("liverpool", changes))

    assert words in faults[key]


def test_a_refusal_names_the_file_the_key_and_the_reason(tmp_path: Path) -> None:
    file = tmp_path / "ours.toml"
    file.write_text(with_changes("liverpool", {"price_weight = 70": "price_weight = 60"}))

    with pytest.raises(BadScheme) as refused:
        load(file)

    assert str(refused.value) == (
        "ours.toml: evaluation.price_weight: price_weight and quality_weight make 90, not 100"
    )
    assert isinstance(refused.value, BadInput)
    assert (refused.value.file, refused.value.field) == ("ours.toml", "evaluation.price_weight")


def test_all_faults_of_a_file_are_reported_together_one_a_line() -> None:
    changes = {
        "restart = ": "restrat = ",
        'window = "5h"': 'window = "soon"',
        "price_weight = 70": "price_weight = 60",
        '"fewer_hours_28_days", "lot"]': '"fewer_hours_28_days"]',
        'districts = ["L1", "L2", "L3"]': 'districts = ["L1", "L2", "L99"]',
    }

    with pytest.raises(BadScheme) as refused:
        load(with_changes("liverpool", changes))

    keys = [line.split(": ")[1] for line in str(refused.value).splitlines()]
    assert sorted(keys) == [
        "evaluation.price_weight",
        "ladders[0].stages[0].window",
        "localities[0].districts[2]",
        "ties[3]",
        "unfilled.restart",
        "unfilled.restrat",
    ]


@pytest.mark.parametrize(("key", "window"), [("halton", 'window = "4h"'), ("kent-flex", 'window = "4h"')])
def test_the_only_stage_with_a_bad_window_is_one_fault(key: str, window: str) -> None:
    faults = faults_of(text_of(key).replace(window, 'window = "4 hours"', 1))

    assert list(faults) == ["ladders[0].stages[0].window"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"key = ", "is no TOML"),
        (b'key = "a"\nkey = "b"', "is no TOML"),
        (b"\xff\xfe", "is not UTF-8 text"),
        (b"#" * 1_000_001, "larger than a megabyte"),
        (b"a = " + b"[" * 100_000, "is no TOML"),
        (b"", "is missing"),
    ],
)
def test_what_is_no_scheme_file_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    file = tmp_path / "ours.toml"
    file.write_bytes(content)

    with pytest.raises(BadScheme, match=words):
        load(file)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadScheme, match=r"nowhere\.toml: can't be read"):
        load(tmp_path / "nowhere.toml")


def test_an_unknown_preset_is_refused_with_the_nearest_known() -> None:
    with pytest.raises(NotFound, match="did you mean 'liverpool'"):
        preset("livrpool")


@pytest.mark.parametrize("key", presets())
def test_canonical_text_reads_back_as_the_same_rules(key: str) -> None:
    scheme = preset(key)

    again = from_canonical(canonical(scheme))

    assert again == scheme.model_copy(update={"demo": None})
    assert rule_hash(again) == rule_hash(scheme) == hash_of(canonical(scheme))


def test_a_demonstration_a_comment_and_the_order_of_tables_do_not_change_the_rules_hash() -> None:
    rules, _, demo = text_of("liverpool").partition("[demo]")
    top, _, tables = rules.partition("[[authorities]]")

    moved = f"# A word.\n{top}[demo]{demo.replace('providers = 50', 'providers = 51')}\n[[authorities]]{tables}"

    assert rule_hash(load(moved)) == rule_hash(preset("liverpool"))


def test_another_rule_has_another_hash_and_a_written_default_has_not() -> None:
    changed = load(with_changes("liverpool", {'window = "5h"': 'window = "6h"'}))
    written_out = load(with_changes("liverpool", {'window = "5h"': 'window = "300m"\nkeeps_earlier = true'}))

    assert rule_hash(changed) != rule_hash(preset("liverpool"))
    assert rule_hash(written_out) == rule_hash(preset("liverpool"))


def test_a_scheme_needs_no_demonstration() -> None:
    rules, _, _ = text_of("liverpool").partition("[demo]")

    assert load(rules).demo is None


def test_canonical_text_that_nobody_wrote_is_corrupted() -> None:
    rules = json.loads(canonical(preset("liverpool")))
    del rules["ties"]

    with pytest.raises(Corrupted, match="ties: is missing"):
        from_canonical(json.dumps(rules))


def test_a_scheme_can_not_be_changed() -> None:
    scheme: Scheme = preset("liverpool")

    with pytest.raises(ValueError, match="frozen"):
        scheme.name = "Ours"  # type: ignore[misc]


VALUES = (
    *(
        "1",
        "-1",
        "0",
        "1.0",
        "nan",
        "inf",
        "1e400",
        "99999999999999999999",
        "true",
        '""',
        '"x"',
        '"personal-care"',
        '"5h"',
    ),
    *("[]", "[[]]", '["x"]', "[1]", "{}", "{ x = 1 }", "2017-01-01", "0001-01-01", "9999-12-31", "11:00:00"),
    *(
        "2019-06-03T08:00:00",
        "9999-12-31T23:59:59+00:00",
        '"lot"',
        '["lot", "lot"]',
        '"crisis"',
        '"L6 1"',
        '["É1", "L"]',
    ),
)


@given(
    key=st.sampled_from(presets()),
    changes=st.lists(st.tuples(st.integers(0, 350), st.sampled_from(("", *VALUES))), min_size=1, max_size=4),
)
def test_whatever_stands_in_a_file_it_is_read_or_refused_by_name(key: str, changes: list[tuple[int, str]]) -> None:
    lines = text_of(key).splitlines()
    for place, value in changes:
        name, equals, _ = lines[place % len(lines)].partition(" = ")
        lines[place % len(lines)] = f"{name} = {value}" if equals and value else ""

    reasons = faults_of("\n".join(lines))

    assert all(reasons.values())
    if not reasons:
        scheme = load("\n".join(lines))
        assert from_canonical(canonical(scheme)) == scheme.model_copy(update={"demo": None})


def test_the_same_rules_for_another_term_are_other_rules_and_nothing_else_of_them_changes() -> None:
    for key in presets():
        scheme = preset(key)
        if scheme.legal_basis is not LegalBasis.LIGHT_TOUCH_FRAMEWORK:
            continue
        starts, ends = date(2031, 4, 1), date(2035, 4, 1)

        ours = with_term(scheme, starts=starts, ends=ends)

        assert (ours.term.starts, ours.term.ends) == (starts, ends)
        assert rule_hash(ours) != rule_hash(scheme)
        assert ours.model_copy(update={"term": scheme.term, "demo": scheme.demo}) == scheme


def test_a_term_that_the_legal_basis_forbids_is_refused() -> None:
    with pytest.raises(BadScheme, match="no DPS under the 2015 regulations runs on"):
        with_term(preset("cornwall"), starts=date(2018, 5, 1), ends=date(2030, 5, 1))
    with pytest.raises(BadScheme, match="is not after the start"):
        with_term(preset("liverpool"), starts=date(2031, 4, 1), ends=date(2031, 4, 1))
