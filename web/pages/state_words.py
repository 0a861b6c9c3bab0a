"""What each state of each thing is called on a page, and the colour of its tag."""

from collections.abc import Mapping

_STATEMENT = {
    "made": ("Waits for the provider", "light-blue"),
    "agreed": ("Agreed, to be paid", "blue"),
    "queried": ("Queried", "yellow"),
    "paid": ("Paid", "green"),
    "withdrawn": ("Withdrawn", "grey"),
}
_FINDING = {
    "open": ("Waits for the provider", "light-blue"),
    "contested": ("Contested", "yellow"),
    "stands": ("Stands", "green"),
}
_FOR_YOU = ("Waits for your answer", "light-blue")

STATES: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "referral": {
        "draft": ("Draft", "grey"),
        "ready": ("Ready to publish", "blue"),
        "seeking": ("Seeking a provider", "light-blue"),
        "held": ("On hold", "yellow"),
        "placed": ("Placed", "green"),
        "placed_otherwise": ("Placed otherwise", "green"),
        "unfilled": ("Unfilled", "red"),
        "withdrawn": ("Withdrawn", "grey"),
    },
    "round": {
        "planned": ("Planned", "grey"),
        "published": ("Open", "light-blue"),
        "closed": ("Closed, being decided", "yellow"),
        "decided": ("Decided", "green"),
        "cancelled": ("Cancelled", "grey"),
    },
    "bid": {
        "sealed": ("Sealed", "light-blue"),
        "replaced": ("Replaced by a later bid", "grey"),
        "withdrawn": ("Withdrawn", "grey"),
        "lapsed": ("Lapsed", "grey"),
        "opened": ("Opened, being decided", "yellow"),
        "invalid": ("Not valid", "red"),
        "awarded": ("Awarded", "green"),
        "unsuccessful": ("Not awarded", "grey"),
    },
    "award": {
        "proposed": ("Waits for approval", "yellow"),
        "offered": ("Offered", "light-blue"),
        "accepted": ("Accepted, to be confirmed", "blue"),
        "confirmed": ("Confirmed", "green"),
        "returned": ("Returned", "grey"),
        "declined": ("Declined", "grey"),
        "expired": ("Ran out", "red"),
        "refused_by_person": ("The person said no", "grey"),
        "overturned": ("Overturned", "red"),
    },
    "arrangement": {
        "agreed": ("Running", "green"),
        "ended": ("Ended", "grey"),
    },
    "placement": {
        "proposed": ("Waits for an approver", "yellow"),
        "approved": ("Approved", "green"),
        "refused": ("Refused", "red"),
        "withdrawn": ("Taken back", "grey"),
        "lapsed": ("Lapsed", "grey"),
    },
    "block": {
        "agreed": ("Running", "green"),
        "ended": ("Ended", "grey"),
    },
    "contract": {
        "pending": ("Not started yet", "blue"),
        "overdue": ("First visit overdue", "red"),
        "active": ("Running", "green"),
        "suspended": ("Visits paused", "yellow"),
        "failed_to_start": ("Did not start", "red"),
        "ended": ("Ended", "grey"),
        "handed_back": ("Handed back", "grey"),
    },
    "tender": {
        "published": ("Bids are taken", "light-blue"),
        "evaluated": ("Evaluated, to be offered", "yellow"),
        "offered": ("Offered", "blue"),
        "awarded": ("Agreed", "green"),
        "cancelled": ("Cancelled", "grey"),
    },
    "area_contract": {
        "agreed": ("Agreed", "green"),
        "ended": ("Ended early", "grey"),
    },
    "open_offer": {
        "made": ("Made, not taken yet", "light-blue"),
        "taken": ("Taken", "green"),
        "withdrawn": ("Withdrawn", "grey"),
        "lapsed": ("Lapsed", "grey"),
    },
    "application": {
        "draft": ("Draft, not handed in", "grey"),
        "submitted": ("Handed in", "light-blue"),
        "approved": ("Approved", "green"),
        "refused": ("Refused", "red"),
        "withdrawn": ("Withdrawn", "grey"),
    },
    "document": {
        "waiting": ("Waits to be confirmed", "light-blue"),
        "confirmed": ("Confirmed", "green"),
        "refused": ("Not accepted", "red"),
    },
    "location_notice": {
        "stated": ("Waits for the council", "light-blue"),
        "recorded": ("Recorded", "green"),
        "refused": ("Not recorded", "red"),
        "withdrawn": ("Taken back", "grey"),
    },
    "membership": {
        "active": ("Active", "green"),
        "suspended": ("Suspended", "yellow"),
        "removed": ("Removed", "grey"),
    },
    "variation": {
        "proposed": ("Waits for a decision", "yellow"),
        "agreed": ("Agreed", "green"),
        "refused": ("Refused", "red"),
        "withdrawn": ("Withdrawn", "grey"),
        "closed": ("Over", "grey"),
    },
    "score": {
        "published": ("Published", "green"),
        "appealed": ("Under appeal", "yellow"),
        "confirmed": ("Confirmed after an appeal", "green"),
        "corrected": ("Replaced after an appeal", "grey"),
    },
    "bar": {
        "noticed": ("Notice given", "yellow"),
        "challenged": ("Challenged", "blue"),
        "upheld": ("Upheld", "red"),
        "withdrawn": ("Withdrawn", "grey"),
    },
    "statement": _STATEMENT,
    "own_statement": _STATEMENT | {"made": _FOR_YOU},
    "finding": _FINDING,
    "own_finding": _FINDING | {"open": _FOR_YOU},
    "concern": {
        "open": ("Being looked into", "yellow"),
        "upheld": ("Upheld", "red"),
        "not_upheld": ("Not upheld", "grey"),
    },
    "urgency": {
        "standard": ("Standard", "grey"),
        "urgent": ("Urgent", "orange"),
        "hospital_discharge": ("Hospital discharge", "red"),
        "crisis": ("Crisis", "red"),
    },
    "invitation": {
        "invited": ("Not answered yet", "blue"),
        "accepted": ("Accepted", "green"),
        "declined": ("Declined", "grey"),
        "waiting": ("Waiting its turn", "grey"),
        "lapsed": ("Over", "grey"),
        "bid": ("Bid", "green"),
        "silent": ("Did not answer", "grey"),
    },
}
