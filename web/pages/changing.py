"""What both sides' pages of changes share: one change of one contract is begun, or its form says what is wrong."""

from collections.abc import Callable, Sequence

from sqlmodel import Session

from dps.contracts.contracts import Contract
from dps.contracts.reasons import ChangeReason
from dps.contracts.standing import find_contract
from dps.contracts.variations.rescheduling import WeekWanted
from dps.kernel.errors import BadInput, Conflict, NothingChanged, StartCannotMove, VariationRefused
from dps.packages.schedule import parse_schedule
from dps.schemes.model import Scheme
from dps.schemes.published import standing_scheme
from web.pages.forms import Form
from web.pages.visit import Visit


def begun(
    visit: Visit, ref: str, fields: Sequence[str], begin: Callable[[Session, Contract, Scheme], object]
) -> dict[str, str]:
    """Begin a change; what keeps it from being begun, by field: none if it was.

    `fields` are those of its form. What is said of another field, or of none, stands beside the first.
    """
    with visit.look() as (session, _now):
        under_rules(session, visit, ref)
    try:
        with visit.command() as session:
            begin(session, *under_rules(session, visit, ref))
    except BadInput as bad:
        return {bad.field if bad.field in fields else fields[0]: str(bad.reason)}
    except VariationRefused as refused:
        return {fields[0]: " ".join(refused.reasons)}
    except (NothingChanged, StartCannotMove) as refused:
        return {fields[0]: str(refused)}
    except Conflict:
        return {fields[0]: "this day has another already"}
    return {}


def under_rules(session: Session, visit: Visit, ref: str) -> tuple[Contract, Scheme]:
    """The contract, to its two sides, and the rules that stand for it; NotFound for anybody else."""
    contract = find_contract(session, ref, actor=visit.actor)
    return contract, standing_scheme(session, contract.scheme)


def week_wanted(form: Form, before: str = "") -> WeekWanted:
    """Another week, as a form says it; its fields' names begin with `before`."""
    lines = form.needed(f"{before}week", "write the week").splitlines()
    return WeekWanted(
        schedule=parse_schedule("; ".join(line.strip(" ;") for line in lines if line.strip(" ;"))),
        from_day=form.day(f"{before}begins", "say from which day"),
        reason=form.choice(ChangeReason, f"{before}reason", "choose why"),
    )
