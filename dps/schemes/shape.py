"""The shape of a scheme: every key known, every value of its kind; what isn't is said in plain words.

Values are read strictly: a text is never taken for a number, nor a number for a time. TOML's own dates and times are
taken as well as texts.
"""

import json
from collections.abc import Mapping
from datetime import date, time
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from dps.kernel.errors import meant
from dps.schemes.faults import Fault, Location, fault
from dps.schemes.model import Scheme

_WORDS = {
    "missing": "is missing",
    "string_type": "must be a text in quotes",
    "int_type": "must be a whole number, without quotes and without a decimal point",
    "int_from_float": "must be a whole number, without a decimal point",
    "bool_type": "must be true or false",
    "tuple_type": "must be a list in square brackets",
    "list_type": "must be a list in square brackets",
    "dict_type": "must be a table of keys and values",
    "model_type": "must be a table of keys and values",
    "date_type": "must be a date such as 2017-04-01",
    "date_parsing": "must be a date such as 2017-04-01",
    "time_type": 'must be a time of day such as "11:00"',
    "time_parsing": 'must be a time of day such as "11:00"',
    "datetime_type": "must be a date and time with its offset, such as 2019-06-03T08:00:00+01:00",
    "datetime_parsing": "must be a date and time with its offset, such as 2019-06-03T08:00:00+01:00",
    "datetime_from_date_parsing": "must be a date and time with its offset, such as 2019-06-03T08:00:00+01:00",
    "timezone_aware": "must say its offset, such as 2019-06-03T08:00:00+01:00",
    "string_too_long": "is longer than {max_length} characters",
    "string_pattern_mismatch": "does not look as it must: {shape}",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "too_short": "needs at least {min_length}",
    "value_error": "{error}",
}

_SHAPES = {
    r"^[a-z0-9]+(-[a-z0-9]+)*$": "lower-case letters, digits and single hyphens, such as personal-care",
    r"^[a-z][a-z0-9_]*$": "lower-case letters, digits and underscores, such as older_people",
    r"^[EWSN][0-9]{8}$": "a local authority district code, such as E08000012",
    r"^#[0-9a-f]{6}$": "a colour in lower-case hex, such as #1d70b8",
}


def read(raw: Mapping[str, Any]) -> tuple[Scheme | None, dict[str, Any], list[Fault]]:
    """The scheme, if it has the right shape; its sound sections by name; and the faults of the others."""
    text = json.dumps(raw, default=_as_text)
    try:
        scheme = Scheme.model_validate_json(text, strict=True)
    except ValidationError as refused:
        faults = [in_words(error) for error in refused.errors(include_url=False) if not _is_echo(error)]
        return None, _sound_sections(json.loads(text)), list(dict.fromkeys(faults))
    return scheme, {name: getattr(scheme, name) for name in Scheme.model_fields}, []


def _sound_sections(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The top-level sections that are sound by themselves, so that the checks can still look at them."""
    sections: dict[str, Any] = {}
    for name, field in Scheme.model_fields.items():
        if name not in raw:
            if not field.is_required():
                sections[name] = field.get_default(call_default_factory=True)
            continue
        adapter: TypeAdapter[Any] = TypeAdapter(field.rebuild_annotation())
        try:
            sections[name] = adapter.validate_json(json.dumps(raw[name]), strict=True)
        except ValidationError:
            continue
    return sections


def _as_text(value: object) -> str:
    # TOML has dates and times of its own; the model reads their texts.
    if isinstance(value, date | time):
        return value.isoformat()
    raise TypeError(f"{value!r} is no value of a scheme file")


def _is_echo(error: ErrorDetails) -> bool:
    """Whether a list is called too short because its faulty entries, each told by itself, were not counted."""
    given, least = error["input"], (error.get("ctx") or {}).get("min_length", 0)
    return error["type"] == "too_short" and isinstance(given, list | dict) and len(given) >= least


def in_words(error: ErrorDetails) -> Fault:
    """One fault of pydantic's, in words that a commissioner can act on."""
    # The mark that a mapping's own key is at fault is no part of the way to it.
    where: Location = tuple(part for part in error["loc"] if part != "[key]")
    kind, context = error["type"], dict(error.get("ctx") or {})
    if kind == "extra_forbidden":
        return fault(where, _unknown_key(where))
    if kind in ("enum", "literal_error"):
        return fault(where, _not_one_of(str(error["input"]), str(context["expected"])))
    context["shape"] = _SHAPES.get(str(context.get("pattern")), "")
    return fault(where, _WORDS.get(kind, error["msg"]).format(**context))


def _unknown_key(where: Location) -> str:
    known = _known_keys(where[:-1])
    near = meant(str(where[-1]), known)
    return f"is no key that a scheme knows here{near or ': known are ' + ', '.join(known)}"


def _not_one_of(given: str, expected: str) -> str:
    words = [word.strip().strip("'") for word in expected.replace(" or ", ", ").split(",")]
    return f"{given!r} is none of {', '.join(words)}{meant(given, words)}"


def _known_keys(where: Location) -> list[str]:
    annotation: Any = Scheme
    for part in where:
        section = section_of(annotation)
        # An index stays within the same kind of section.
        if section is not None and isinstance(part, str) and part in section.model_fields:
            annotation = section.model_fields[part].annotation
    section = section_of(annotation)
    return list(section.model_fields) if section is not None else []


def section_of(annotation: Any) -> type[BaseModel] | None:
    """The section that an annotation such as `tuple[Stage, ...]` or `Demo | None` speaks of."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in (tuple, dict, Union, UnionType, Annotated):
        return next(filter(None, map(section_of, get_args(annotation))), None)
    return None
