"""policy.toml: the published rules as a file; every key is optional and an unknown one is refused.

mode = "joint"                            # or "per_package"; left out: "per_package" where quality has a weight
objective = "prices"                      # or an order, first things first: ["unplaced", "coverage", "cost"]
[coverage]
price_pence = 25000                       # a week, for each active provider missing in a locality
default_target = 3
targets = { "L6 1" = 2 }
[caps]
locality_share = 0.5                      # of a locality's minutes, committed ones counted, for one provider
awards_per_provider = 4
[quality]
weight = 0                                # 0 to 100, the rest is price; ranks the bids of one package
formula = "lowest_over_bid"               # or "linear_in_envelope"
envelope_pence_per_hour = [1900, 3200]
pence_per_point_hour = 0                  # joint: what one missing point of quality costs for one hour
[start]
delay_pence_per_day = [0, 0, 0, 0]        # by priority 1 to 4
[waiting]
pence_per_day = [0, 0, 0, 0]
[stability]
price_pence = 10000                       # for each award that differs from the previous ones
"""

import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

from dps.kernel.errors import BadInput
from matching.allocation.records import BASIS_POINTS, Mode, Policy

KEYS: dict[str, tuple[str, ...]] = {
    "coverage": ("price_pence", "default_target", "targets"),
    "caps": ("locality_share", "awards_per_provider"),
    "quality": ("weight", "formula", "envelope_pence_per_hour", "pence_per_point_hour"),
    "start": ("delay_pence_per_day",),
    "waiting": ("pence_per_day",),
    "stability": ("price_pence",),
}
FORMULAS = ("lowest_over_bid", "linear_in_envelope")


def read_policy(path: Path) -> Policy:
    """The policy in the file at `path`; `BadInput` names the file and the key."""
    try:
        text = path.read_bytes().decode("utf-8")
        tables = tomllib.loads(text, parse_float=Decimal)
        return policy_from(tables)
    except UnicodeDecodeError:
        raise BadInput("is not UTF-8 text", file=str(path)) from None
    except tomllib.TOMLDecodeError as fault:
        raise BadInput(f"is not TOML: {fault}", file=str(path)) from None
    except OSError as fault:
        raise BadInput(f"can't be read: {fault.strerror}", file=str(path)) from None
    except BadInput as fault:
        raise BadInput(fault.facts["reason"], file=str(path), field=fault.facts["field"]) from None


def policy_from(tables: dict[str, Any]) -> Policy:
    """The policy that parsed TOML describes."""
    for name, value in tables.items():
        if name in KEYS:
            if not isinstance(value, dict):
                raise BadInput("is a table", field=name)
            for key in value:
                if key not in KEYS[name]:
                    raise BadInput("no such key", field=f"{name}.{key}")
        elif name not in ("mode", "objective"):
            raise BadInput("no such key", field=name)
    section = {name: tables.get(name, {}) for name in KEYS}
    quality = section["quality"]
    weight = _whole(quality, "quality", "weight", 0)
    formula = quality.get("formula", FORMULAS[0])
    if formula not in FORMULAS:
        raise BadInput(f"is one of {', '.join(FORMULAS)}", field="quality.formula")
    point = _whole(quality, "quality", "pence_per_point_hour", 0)
    return Policy(
        mode=_mode(tables, "per_package" if weight and not point else "joint"),
        objective=_objective(tables.get("objective", "prices")),
        coverage_pence=_whole(section["coverage"], "coverage", "price_pence", 0),
        default_target=_whole(section["coverage"], "coverage", "default_target", 0),
        targets=_targets(section["coverage"].get("targets", {})),
        locality_share_bp=_share(section["caps"]),
        awards_per_provider=_whole_or_none(section["caps"], "caps", "awards_per_provider"),
        quality_weight=weight,
        quality_formula=formula,
        envelope_pence_per_hour=_envelope(quality.get("envelope_pence_per_hour")),
        quality_pence_per_point_hour=point,
        delay_pence_per_day=_four(section["start"].get("delay_pence_per_day"), "start.delay_pence_per_day"),
        waiting_pence_per_day=_four(section["waiting"].get("pence_per_day"), "waiting.pence_per_day"),
        stability_pence=_whole(section["stability"], "stability", "price_pence", 0),
    )


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _whole_or_none(table: dict[str, Any], name: str, key: str) -> int | None:
    value = table.get(key)
    if value is not None and not _is_whole(value):
        raise BadInput(f"{value!r} is not a whole number", field=f"{name}.{key}")
    return value


def _whole(table: dict[str, Any], name: str, key: str, otherwise: int) -> int:
    value = _whole_or_none(table, name, key)
    return otherwise if value is None else value


def _mode(tables: dict[str, Any], otherwise: str) -> Mode:
    name = tables.get("mode", otherwise)
    if name not in tuple(Mode):
        raise BadInput("is 'joint' or 'per_package'", field="mode")
    return Mode(name)


def _objective(value: Any) -> Any:
    if value == "prices":
        return value
    if isinstance(value, list) and value and all(isinstance(level, str) for level in value):
        return tuple(value)
    raise BadInput("is 'prices' or an order such as ['unplaced', 'coverage', 'cost']", field="objective")


def _targets(value: Any) -> dict[str, int]:
    if not isinstance(value, dict) or not all(_is_whole(target) for target in value.values()):
        raise BadInput("gives each locality a whole number", field="coverage.targets")
    return value


def _share(caps: dict[str, Any]) -> int | None:
    """Basis points: four decimal places are as fine as a published share gets."""
    value = caps.get("locality_share")
    if value is None:
        return None
    if not isinstance(value, Decimal) and not _is_whole(value):
        raise BadInput(f"{value!r} is not a number", field="caps.locality_share")
    share = Decimal(value) * BASIS_POINTS
    if not share.is_finite() or not 0 < share <= BASIS_POINTS or share != share.to_integral_value():
        raise BadInput(
            f"{value} is not a share: above 0, at most 1, four decimal places at most", field="caps.locality_share"
        )
    return int(share)


def _envelope(value: Any) -> tuple[int, int] | None:
    if value is None:
        return None
    if not (isinstance(value, list) and len(value) == 2 and all(map(_is_whole, value)) and 0 <= value[0] < value[1]):
        raise BadInput("is a floor and a ceiling in pence", field="quality.envelope_pence_per_hour")
    return value[0], value[1]


def _four(value: Any, key: str) -> tuple[int, int, int, int]:
    if value is None:
        return 0, 0, 0, 0
    if not (isinstance(value, list) and len(value) == 4 and all(map(_is_whole, value))):
        raise BadInput("is four whole numbers, for priorities 1 to 4", field=key)
    return value[0], value[1], value[2], value[3]
