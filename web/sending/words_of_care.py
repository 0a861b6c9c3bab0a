"""What letters say of care under way: contracts and their changes, visits, statements, outcomes, quality, standing.

By the message's kind: a subject and a sentence. Beside them stand a reference and a link, and nothing else.
"""

from collections.abc import Mapping

from dps.law.clocks import Clock

CARE: Mapping[str, tuple[str, str]] = {
    "contract_started": ("Care has begun", "The first visit is recorded, and the contract runs from its day."),
    "contract_start_moved": ("The first visit is on another day", "Agree the new day with the person."),
    "contract_failed_to_start": (
        "Care could not begin",
        "The contract is over before its first visit, and the package is brokered again.",
    ),
    "contract_suspended": ("Visits are paused", "The contract's page says from which day, and until when it is kept."),
    "contract_restarted": ("Visits go on", "The pause is over: the person is served again from today."),
    "contract_ended": ("A contract has ended", "No visit is made after its last day. The hours are free again."),
    "contract_handed_back": (
        "A contract is handed back",
        "Care goes on until its last day, and the package is brokered again at once.",
    ),
    "contract_passed_on": ("A contract is delivered by somebody else", "Its page says by whom and from which day."),
    "flex_told": (
        "More support was begun at once",
        "Its provider decided on it, or an approver signed it. Its contract's page says how much, why and until when.",
    ),
    "flex_to_sign": ("A change waits for your signature", "A provider reports more hours than it may decide alone."),
    "flex_signed": ("Your change is signed", "It counts from now on. When it is over, say what came of it."),
    "flex_reported": ("What came of more support is reported", "Its hours are free again, and the tracker counts it."),
    "package_reduced": ("A package was reduced", "A trusted assessor of its provider decided on it."),
    "package_increased": ("A package grows", "Its page says from which day, and what the new week is."),
    "change_proposed": ("A change is proposed", "Nothing changes before a broker has agreed to it."),
    "change_agreed": ("Your proposal is agreed", "Its page says from which day the new week holds."),
    "change_refused": ("A change was refused", "Nothing changes. The contract's page says why."),
    "change_withdrawn": ("A change was taken back", "Who proposed it took it back. Nothing changes."),
    "weekly_price_placed": (
        "A contract's weekly price is set",
        "Its page says which price is paid from which day.",
    ),
    "prices_raised": ("Your prices rise", "The council raised a service's contracted prices from a day on."),
    "statement_made": ("A statement waits for you", "Look at its lines, then agree to it or say that it is wrong."),
    "statement_agreed": ("A statement can be paid", "Its provider agreed to it. An approver who did not make it pays."),
    "statement_queried": ("A statement is queried", "Its provider says that something is wrong with it."),
    "statement_paid": ("A statement is paid", "The council has recorded the payment."),
    "statement_withdrawn": ("A statement was taken back", "The council took it back. Its days are stated anew."),
    "outcomes_reviewed": ("Outcomes were reviewed", "Agree to what was found, or contest it in time."),
    "outcomes_agreed": ("A review of outcomes is agreed", "The provider agrees to what was found: it stands."),
    "outcomes_contested": (
        "A review of outcomes is contested",
        "An approver who did not make it settles it. No statement is made before.",
    ),
    "outcomes_settled": ("A review of outcomes is settled", "An approver has decided on what you contested."),
    "complaint_received": ("A complaint came in", "Its contract's page says what it is about, and names nobody."),
    "complaint_closed": ("A complaint is closed", "Its contract's page says whether it was upheld."),
    "score_published": ("Your quality was scored", "Its working is on the page below, and until when you can appeal."),
    "score_appealed": ("A score is appealed", "The score before counts until a commissioner has decided."),
    "score_confirmed": ("Your score is confirmed", "A commissioner looked at your appeal. The score counts again."),
    "enablement_notice": (
        "You are given notice",
        "You shall get no more requests with a budget. You can challenge this in time.",
    ),
    "enablement_challenged": ("A notice is challenged", "A commissioner who did not give it decides."),
    "enablement_upheld": ("A notice is upheld", "You get no more requests with a budget."),
    "enablement_notice_withdrawn": ("A notice is withdrawn", "You get requests with a budget as before."),
    "run_off_decided": ("What becomes of your contracts", "While you are suspended: your contracts' pages say what."),
    "block_agreed": ("A block of hours is agreed", "It is paid in full, and its unused hours are offered first."),
    "block_ended": ("A block of hours ends", "Its last day was decided."),
    "arrangement_agreed": ("You supply together with others", "The council has recorded your arrangement."),
    "suspension.imposed": ("You are suspended", "Your service's page says from what, since when, and why."),
    "suspension.lifted": ("A suspension is lifted", "What it kept from you is open to you again."),
    "membership.removed": ("You have left a list", "Your service's page says which, and where you stand."),
    "application.approved": ("Your application is approved", "You are on the list from now on."),
    "application.refused": ("Your application is refused", "Its page says why."),
    "law_due": ("A legal clock runs", "Something that the law asks for is due soon, or is late."),
}
"""Whoever posts another kind finds out from a test that it has no words."""

LAW: Mapping[str, tuple[str, str]] = {
    Clock.TERM: ("A scheme's term ends", "Publish the rules of a new term before it is over."),
    Clock.REOPENING: (
        "An open framework must be reopened",
        "Reopen it to new providers, and publish rules that say when it was.",
    ),
    Clock.TIERS: ("A scheme's lists are to be published", "Publish who is on which list, and record it."),
    Clock.NOTICE: ("A contract's notice is due", "Publish it, and record it."),
    Clock.APPLICATION: ("An application waits for its answer", "An officer of the register decides it."),
}
"""Of a clock of the law (`law_due`): what is due, and what to do; until when follows from the message's facts."""
