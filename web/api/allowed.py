"""Which values a field of a request takes, where it takes one of a closed list: said in a refusal."""

import re
from collections.abc import Sequence
from typing import Any

from msgspec.inspect import (
    DataclassType,
    DictType,
    EnumType,
    ListType,
    Metadata,
    StructType,
    Type,
    UnionType,
    type_info,
)

_STEPS = re.compile(r"\.|(?=\[)")


def allowed(annotation: Any, path: str) -> list[Any]:
    """The values of the closed list at `path` (`rows[...].bid.card.basis`) of this type; empty where there is none."""
    return _values(type_info(annotation), [step for step in _STEPS.split(path) if step])


def _values(of: Type, path: Sequence[str]) -> list[Any]:
    match of:
        case Metadata():
            return _values(of.type, path)
        case UnionType():
            return next((found for one in of.types if (found := _values(one, path))), [])
        case EnumType() if not path:
            return [member.value for member in of.cls]
        case StructType() | DataclassType() if path:
            inner = (field.type for field in of.fields if field.encode_name == path[0])
            return next((_values(one, path[1:]) for one in inner), [])
        case ListType() if path and path[0].startswith("["):
            return _values(of.item_type, path[1:])
        case DictType() if path and path[0].startswith("["):
            return _values(of.value_type, path[1:])
        case _:
            return []
