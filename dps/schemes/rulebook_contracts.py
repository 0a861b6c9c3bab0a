"""The rulebook's last part: how a contract may vary, and how it is paid."""

from collections.abc import Iterator, Sequence

from dps.kernel.money import in_pounds
from dps.schemes.contracting import Blocks, Exclusion, Flex, Payment, PaymentModel, Variations
from dps.schemes.custody import Custody
from dps.schemes.faults import listed
from dps.schemes.wording import as_percent, count, day_words, plain, table, word, words

PAYMENT_MODELS = {
    PaymentModel.DELIVERED: "what was delivered, at the contract's prices",
    PaymentModel.COMMISSIONED: "what was commissioned, at the contract's prices, without visits the provider missed",
    PaymentModel.OUTCOME_BUDGET: "the request's budget in full if its outcomes are met, and else the delivered visits "
    "only, each but for proven exceptions; after the budget's weeks, what was delivered at the bid's rate",
    PaymentModel.SHARE_AT_RISK: "what was commissioned, of which a share waits for the person's outcomes",
    PaymentModel.TIERS: "a weekly price by the tier that was agreed for the person; where none was, what was delivered",
    PaymentModel.BANDS: "a weekly price by the band of each person of an area, of which a share is paid on performance",
    PaymentModel.CAPITATED: "a year's budget for an area, whatever it costs within the tolerance",
}

RUN_OFFS = {
    "continue": "go on",
    "transfer": "be transferred by a day",
    "end_now": "end at once, by an approver",
}


def variations(rules: Variations) -> Iterator[str]:
    """How a contract may change; what the scheme does not allow is said, too."""
    yield "## How a contract may change"
    yield ""
    yield from _flex(rules.flex)
    if (reduction := rules.reduction) is not None:
        yield (
            f"- A provider who holds the document {word(reduction.document)} may reduce a package, by "
            f"{reduction.most_percent}% of the first agreement at most."
        )
    if (review := rules.review) is not None:
        yield (
            f"- A provider may propose a change {count(review.earliest_weeks, 'week')} after the first visit, and "
            f"never decides it alone; the council reviews by week {review.due_weeks}."
        )
    if (retainer := rules.retainer) is not None:
        yield (
            f"- A paused service restarts without a competition within {count(retainer.most_weeks, 'week')}; the "
            f"retainer, if it does, is {retainer.percent}% of the weekly price."
        )
    if (increase := rules.increase) is not None:
        yield f"- A package may grow by {increase.most_percent}% of the first agreement without a competition."
    if (uplift := rules.uplift) is not None:
        yield f"- A lot's prices may rise by {as_percent(uplift.most_basis_points)} at one date."
    if (hand_back := rules.hand_back) is not None:
        yield (
            f"- A provider who hands a contract back gives {count(hand_back.notice_days, 'day')} notice. No notice is "
            f"asked for these reasons: {words(hand_back.without_notice)}."
        )
    else:
        yield "- A provider who hands a contract back is asked for no notice."
    if (run_off := rules.run_off) is not None:
        yield (
            f"- What a suspended provider runs may {listed(RUN_OFFS[way] for way in run_off.ways)}; a transfer takes "
            f"{count(run_off.transfer_days, 'day')} at most. Each package is brokered again at once; advice on who "
            f"could take over counts {in_pounds(run_off.keep_together_pence)} for each further provider in a locality."
        )
    names = (name for name in type(rules).model_fields if name != "hand_back" and getattr(rules, name) is None)
    missing = [name.replace("_", " ") for name in names]
    if missing:
        yield f"- Not allowed: {listed(missing)}."


def _flex(flex: Flex | None) -> Iterator[str]:
    if flex is None:
        return
    charged = "is charged" if flex.charged_to_person else "is not charged"
    yield (
        f"- In a crisis the provider decides alone on more support: at most {count(flex.most_hours_a_day, 'hour')} a "
        f"day for {count(flex.most_days, 'day')}, for {words(flex.groups)}, begun by {words(flex.begun_by)}. The "
        f"person {charged}. The council is told within {count(flex.backdated_days, 'day')}."
    )
    yield f"- Above {in_pounds(flex.weekly_limit_pence)} in seven days an authorised officer signs."
    yield from (f"- Nothing is flexed {_exclusion(one)}." for one in flex.exclusions)
    if flex.hospital_admission_pence or flex.care_home_admission_pence:
        yield (
            f"- An averted hospital admission counts as {in_pounds(flex.hospital_admission_pence)} saved, an averted "
            f"care home admission as {in_pounds(flex.care_home_admission_pence)}."
        )


def _exclusion(exclusion: Exclusion) -> str:
    since = f" from {day_words(exclusion.starts)}" if exclusion.starts else ""
    until = f" before {day_words(exclusion.ends)}" if exclusion.ends else ""
    return f"in the case of {word(exclusion.circumstance)}{since}{until}"


def payments(rules: Sequence[Payment]) -> Iterator[str]:
    """How each lot is paid for."""
    yield "## How it is paid"
    yield ""
    for payment in rules:
        yield f"- {listed(f'`{key}`' for key in payment.lots)}: {PAYMENT_MODELS[payment.model]}. {_time(payment)}"
        if payment.at_risk_percent is not None:
            yield f"- The share at risk is {payment.at_risk_percent}%."
        if payment.tolerance_percent is not None:
            yield f"- Within {payment.tolerance_percent}% the provider absorbs or keeps; beyond it, to discussion."
        for locality, pence in payment.area_budgets.items():
            yield f"- The year's budget of `{locality}` is {in_pounds(pence)}."
        if payment.weekly_prices:
            rows = [(f"{plain(one.name)} (`{one.key}`)", in_pounds(one.weekly_pence)) for one in payment.weekly_prices]
            yield ""
            yield from table(("tier or band", "a week for one person"), rows)
    if not rules:
        yield "Nothing is said about payment: no statement is made under these rules."


def blocks(rules: Blocks | None) -> Iterator[str]:
    """Whether hours are bought in blocks, and who is asked first then."""
    yield "## Blocks of hours"
    yield ""
    if rules is None:
        yield "No hours are bought in blocks."
        return
    yield (
        f"Hours may be bought in blocks for {listed(f'`{key}`' for key in rules.lots)}, and are paid, used or not. A "
        "package that fits into a provider's unused hours for its lot and locality is offered to that provider before "
        "each stage of the ladder, the block agreed first before the others, to nobody twice before the ladder starts "
        "again, and costs nothing more. A statement of a block shows used and unused hours."
    )


_FREE = "is not charged to the person"


def custody(rules: Custody | None) -> Iterator[str]:
    """Whose help it takes to open a bid."""
    yield "## Who opens bids"
    yield ""
    if rules is None:
        yield "Bids are opened by the engine alone, after their closing."
        return
    whose = []
    if rules.lots:
        whose.append(
            f"in {listed(f'`{key}`' for key in rules.lots)} for a package that may cost more than "
            f"{in_pounds(rules.above_weekly_pence)} a week at the ceiling price, or whose minutes are not known yet,"
        )
    if rules.area_contracts:
        whose.append(f"for {listed(f'`{key}`' for key in rules.area_contracts)}")
    yield (
        f"Sealed bids {' and '.join(whose)} are opened after their closing with the help of {rules.needed} of at least "
        f"{rules.custodians} named key-holders. With fewer nobody can open them."
    )


def _time(payment: Payment) -> str:
    tolerance = count(payment.tolerance_minutes, "minute")
    if payment.counts == "minutes":
        counted = f"Time counts by the minute, up to {tolerance} over the plan."
    else:
        counted = f"A visit counts in full unless it is more than {tolerance} short."
    late = "paid" if payment.late_cancellation_paid else "not paid"
    charged = (
        "may be charged to the person, unless the law makes it free"
        if payment.chargeable
        else "is not charged to the person"
    )
    return f"{counted} A visit cancelled too late is {late}. It {charged}."
