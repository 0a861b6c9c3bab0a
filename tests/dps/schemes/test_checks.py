"""Each rule between keys, broken once in a real scheme file: the right key is named, in plain words."""

from typing import NamedTuple

import pytest

from dps.schemes.checks import RULES
from tests.dps.schemes.files import faults_of, with_changes


class Broken(NamedTuple):
    """`rule` is broken by `changes` to a preset's text; the loader names `key` and says `words`."""

    rule: str
    preset: str
    changes: dict[str, str]
    key: str
    words: str


KEPT = "joint_as_advice = true"
JOINT = 'mode = "joint"'
SAME = "floor_pence_per_hour = 1800, ceiling_pence_per_hour = 1800"
SECOND_ENVELOPE = "ceiling_pence_per_hour = 1900 }, { floor_pence_per_hour = 1500, ceiling_pence_per_hour = 1900%s }]"

BROKEN = [
    Broken(
        "no_key_is_used_twice",
        "liverpool",
        {'key = "reablement"': 'key = "personal-care"'},
        "lots[1].key",
        "'personal-care' is used twice",
    ),
    Broken(
        "no_key_is_used_twice",
        "knowsley-sefton",
        {'lads = ["E08000014"]': 'lads = ["E08000011"]'},
        "authorities[1].lads[0]",
        "belongs to 'knowsley' already",
    ),
    Broken(
        "term_ends_after_it_starts",
        "liverpool",
        {"ends = 2022-10-01": "ends = 2017-10-01"},
        "term.ends",
        "is not after",
    ),
    Broken("legal_basis_allows_the_term", "cornwall", {"ends = 2025-05-01": ""}, "term.ends", "has an end date"),
    Broken(
        "legal_basis_allows_the_term",
        "cornwall",
        {"ends = 2025-05-01": "ends = 2029-02-25"},
        "term.ends",
        "runs on 2029-02-24 or later",
    ),
    Broken(
        "legal_basis_allows_the_term",
        "cornwall",
        {"starts = 2018-05-01": "starts = 2025-02-24", "ends = 2025-05-01": "ends = 2027-05-01"},
        "term.starts",
        "could start from 2025-02-24 on",
    ),
    Broken(
        "legal_basis_allows_the_term",
        "liverpool",
        {"light_touch_framework": "dynamic_market"},
        "term.starts",
        "no dynamic_market could start before 2025-02-24",
    ),
    Broken(
        "legal_basis_allows_the_term",
        "liverpool",
        {
            "light_touch_framework": "open_framework",
            "starts = 2017-10-01": "starts = 2025-03-01",
            "ends = 2022-10-01": "",
        },
        "term.ends",
        "an open framework has an end date",
    ),
    Broken(
        "legal_basis_allows_the_term",
        "liverpool",
        {
            "light_touch_framework": "open_framework",
            "starts = 2017-10-01": "starts = 2028-02-29",
            "ends = 2022-10-01": "ends = 2036-03-01",
        },
        "term.ends",
        "lasts at most 8 years",
    ),
    Broken(
        "reopenings_lie_within_the_term",
        "liverpool",
        {"ends = 2022-10-01": "ends = 2022-10-01\nreopened = [2019-10-01]"},
        "term.reopened",
        "only an open framework",
    ),
    Broken(
        "reopenings_lie_within_the_term",
        "liverpool",
        {
            "light_touch_framework": "open_framework",
            "starts = 2017-10-01": "starts = 2025-03-01",
            "ends = 2022-10-01": "ends = 2033-03-01\nreopened = [2028-02-01, 2028-01-01]",
        },
        "term.reopened[1]",
        "is not after 2028-02-01",
    ),
    Broken(
        "legal_basis_allows_the_term",
        "liverpool",
        {"light_touch_framework": "nhs_2013", "starts = 2017-10-01": "starts = 2024-01-01"},
        "term.starts",
        "could start from 2024-01-01 on",
    ),
    Broken(
        "working_day_has_hours", "liverpool", {'closes = "17:00"': 'closes = "09:00"'}, "hours.closes", "is not after"
    ),
    Broken(
        "base_can_be_told", "st-helens", {'lads = ["E08000013"]': ""}, "admission.base_asked", "no base can be told"
    ),
    Broken(
        "base_can_be_told",
        "st-helens",
        {'bordering_lads = ["E08000011"': 'bordering_lads = ["E08000013"'},
        "bordering_lads[0]",
        "E08000013 is the authorities' own",
    ),
    Broken(
        "questions_flag_what_their_kind_can_say",
        "worcestershire",
        {"flag_above = 20": "flag_when = true"},
        "admission.questions[0].flag_when",
        "can't be asked of a percent answer",
    ),
    Broken(
        "questions_flag_what_their_kind_can_say",
        "worcestershire",
        {"flag_when = false": "flag_above = 20"},
        "admission.questions[1].flag_above",
        "can't be asked of a yes_no answer",
    ),
    Broken(
        "every_rating_has_its_worth",
        "liverpool",
        {"not_rated = 60, ": "", '"requires_improvement", "not_rated"]': '"requires_improvement"]'},
        "quality.scores.not_rated",
        "say what a provider without a rating scores",
    ),
    Broken(
        "every_rating_has_its_worth",
        "liverpool",
        {"good = 80, ": ""},
        "quality.scores.good",
        "an accepted rating says what it scores",
    ),
    Broken(
        "are_of_known_places",
        "liverpool",
        {'districts = ["L1", "L2", "L3"]': 'districts = ["L1", "L2", "L99"]'},
        "localities[0].districts[2]",
        "'L99' is no known postcode district",
    ),
    Broken(
        "are_of_known_places",
        "liverpool",
        {'districts = ["L1", "L2", "L3"]': ""},
        "localities[0].districts",
        "names no district and no sector",
    ),
    Broken(
        "are_of_known_places",
        "liverpool",
        {'"L24 0"': '"L24 O"'},
        "localities[9].sectors[0]",
        "not the shape of a postcode sector",
    ),
    Broken(
        "are_of_known_places", "liverpool", {'"L24 0"': '"l24 0"'}, "localities[9].sectors[0]", "is written 'L24 0'"
    ),
    Broken(
        "are_of_known_places",
        "worcestershire",
        {'"WR15 8"': '"WR15 1"'},
        "localities[2].sectors[2]",
        "'WR15 1' is no known postcode sector",
    ),
    Broken(
        "do_not_overlap",
        "liverpool",
        {'districts = ["L4", "L5", "L6"]': 'districts = ["L3", "L5", "L6"]'},
        "localities[1].districts[0]",
        "L3 is in locality 'city-centre-vauxhall' already",
    ),
    Broken(
        "do_not_overlap",
        "liverpool",
        {'"L20 8"': '"L10 1"'},
        "localities[2].sectors[15]",
        "L10 1 is in locality 'walton-fazakerley' already",
    ),
    Broken(
        "do_not_overlap",
        "liverpool",
        {'"L24 0"': '"L19 0"'},
        "localities[9].sectors[0]",
        "the whole of L19 is in this locality already",
    ),
    Broken(
        "have_mutual_neighbours",
        "liverpool",
        {'neighbours = ["everton-anfield", "croxteth-norris-green"]': 'neighbours = ["croxteth-norris-green"]'},
        "localities[1].neighbours[1]",
        "locality 'walton-fazakerley' does not name 'everton-anfield'",
    ),
    Broken(
        "have_mutual_neighbours",
        "liverpool",
        {'neighbours = ["everton-anfield", "croxteth-norris-green"]': 'neighbours = ["everton-anfeld"]'},
        "localities[2].neighbours[0]",
        "'everton-anfeld' is no locality of this scheme (did you mean 'everton-anfield'?)",
    ),
    Broken(
        "have_mutual_neighbours",
        "liverpool",
        {'neighbours = ["everton-anfield", "croxteth-norris-green"]': 'neighbours = ["walton-fazakerley"]'},
        "localities[2].neighbours[0]",
        "is no neighbour of its own",
    ),
    Broken(
        "floors_are_not_above_ceilings",
        "liverpool",
        {"floor_pence_per_hour = 1400": "floor_pence_per_hour = 1901"},
        "lots[0].envelopes[0].floor_pence_per_hour",
        "the floor is above the ceiling of 1900",
    ),
    Broken(
        "one_envelope_applies",
        "liverpool",
        {"ceiling_pence_per_hour = 1900 }]": SECOND_ENVELOPE % ""},
        "lots[0].envelopes[1].starts",
        "so they overlap",
    ),
    Broken(
        "one_envelope_applies",
        "liverpool",
        {"ceiling_pence_per_hour = 1900 }]": "ceiling_pence_per_hour = 1900, starts = 2018-01-01 }]"},
        "lots[0].envelopes",
        "none applies everywhere from the term's start on 2017-10-01",
    ),
    Broken(
        "one_envelope_applies",
        "liverpool",
        {"ceiling_pence_per_hour = 1900 }]": SECOND_ENVELOPE % ', localities = ["walton"]'},
        "lots[0].envelopes[1].localities",
        "'walton' is no locality of this scheme",
    ),
    Broken(
        "offers_have_a_lawful_price",
        "liverpool",
        {"offer_pence_per_hour = 1600": ""},
        "lots[0].offer_pence_per_hour",
        "stage 'preferred' offers this lot at a published price",
    ),
    Broken(
        "offers_have_a_lawful_price",
        "liverpool",
        {"offer_pence_per_hour = 1600": "offer_pence_per_hour = 1901"},
        "lots[0].offer_pence_per_hour",
        "1901 is outside the envelope from 1400 to 1900",
    ),
    Broken(
        "shorter_visits_are_shorter",
        "worcestershire",
        {"medication = 15": "medication = 30"},
        "lots[0].visits.shorter_tasks.medication",
        "below the least visit of 30",
    ),
    Broken(
        "stages_ask_known_published_lists",
        "liverpool",
        {'lists = ["preferred"]': 'lists = ["prefered"]'},
        "ladders[0].stages[0].lists[0]",
        "'prefered' is no list of this scheme (did you mean 'preferred'?)",
    ),
    Broken(
        "stages_ask_known_published_lists",
        "liverpool",
        {"published = true": "published = false"},
        "ladders[0].stages[0].lists[0]",
        "a staged list must be",
    ),
    Broken(
        "stages_ask_known_published_lists",
        "liverpool",
        {'key = "neighbours"': 'key = "approved"'},
        "ladders[0].stages[2].key",
        "'approved' is used twice in this ladder",
    ),
    Broken(
        "every_lot_and_urgency_has_one_ladder",
        "liverpool",
        {'urgencies = ["urgent", "hospital_discharge"]': 'urgencies = ["urgent"]'},
        "ladders",
        "lot 'personal-care' has no ladder for hospital_discharge",
    ),
    Broken(
        "every_lot_and_urgency_has_one_ladder",
        "liverpool",
        {'urgencies = ["crisis"]': 'urgencies = ["crisis", "urgent"]'},
        "ladders[2]",
        "ladders[1] is for them already",
    ),
    Broken(
        "every_lot_and_urgency_has_one_ladder",
        "worcestershire",
        {'lots = ["home-care"]': 'lots = ["home-care", "homecare"]'},
        "ladders[0].lots[1]",
        "'homecare' is no lot of this scheme (did you mean 'home-care'?)",
    ),
    Broken(
        "speed_decides_in_a_crisis_only",
        "liverpool",
        {'mode = "acceptance_window"': 'mode = "first_acceptance"'},
        "ladders[0].stages[0].mode",
        "speed decides in a crisis only",
    ),
    Broken(
        "speed_decides_in_a_crisis_only",
        "liverpool",
        {'mode = "acceptance_window"': 'mode = "acceptance_window"\nspeed_permitted = true'},
        "ladders[0].stages[0].speed_permitted",
        "permits nothing here",
    ),
    Broken(
        "speed_decides_in_a_crisis_only",
        "liverpool",
        {
            'mode = "acceptance_window"': 'mode = "direct_award"',
            'reasons = ["first_refusal", "restart", "increase", "persons_choice", "off_list"]': "",
        },
        "ladders[0].stages[0].mode",
        "a direct award needs a reason",
    ),
    Broken(
        "published_closings_are_published",
        "liverpool",
        {'times = ["11:00", "15:00"]': ""},
        "ladders[0].stages[1].closing",
        "closings.times names none",
    ),
    Broken(
        "published_closings_are_published",
        "liverpool",
        {'times = ["11:00", "15:00"]': 'times = ["15:00", "11:00"]'},
        "closings.times[1]",
        "11:00 is not after 15:00",
    ),
    Broken(
        "published_closings_are_published",
        "liverpool",
        {'mode = "first_acceptance"': 'mode = "first_acceptance"\nclosing = "published"'},
        "ladders[2].stages[0].closing",
        "first_acceptance does not wait for a closing",
    ),
    Broken(
        "every_reach_leads_somewhere",
        "st-helens",
        {"base_asked = true": "base_asked = false"},
        "ladders[0].stages[1].reach",
        "no border keeps anybody out",
    ),
    Broken(
        "every_reach_leads_somewhere",
        "st-helens",
        {'bordering_lads = ["E08000011", "E06000006", "E06000007", "E08000010", "E07000127"]': ""},
        "ladders[0].stages[1].reach",
        "bordering_lads names no district",
    ),
    Broken(
        "every_urgency_has_an_acceptance_window",
        "liverpool",
        {', crisis = "30m" }': " }"},
        "award.acceptance.crisis",
        "is missing",
    ),
    Broken(
        "weights_make_100",
        "liverpool",
        {"price_weight = 70": "price_weight = 60"},
        "evaluation.price_weight",
        "make 90, not 100",
    ),
    Broken(
        "weights_make_100",
        "liverpool",
        {'rule = "price_quality"': 'rule = "lowest_price"'},
        "evaluation.quality_weight",
        "under lowest_price only the price counts",
    ),
    Broken(
        "weights_make_100",
        "liverpool",
        {'formula = "linear_in_envelope"': 'formula = "fixed_price"'},
        "evaluation.formula",
        "fixed_price goes with a price weight of 0",
    ),
    Broken(
        "weights_make_100",
        "liverpool",
        {"floor_pence_per_hour = 1500, ceiling_pence_per_hour = 2200": SAME},
        "lots[3].envelopes",
        "can't be linear",
    ),
    Broken(
        "quality_can_be_scored",
        "liverpool",
        {"rating_points = 100": ""},
        "evaluation.rating_points",
        "neither a rating nor a question makes it up",
    ),
    Broken(
        "quality_can_be_scored",
        "cornwall",
        {"quality_weight = 0": "quality_weight = 0\nrating_points = 10"},
        "evaluation.rating_points",
        "quality counts nowhere",
    ),
    Broken(
        "questions_can_be_answered",
        "st-helens",
        {"up-to-3 = 100": "up-to-3 = 90"},
        "evaluation.questions[0].answers",
        "the best answer must score 100",
    ),
    Broken(
        "questions_can_be_answered",
        "st-helens",
        {", up-to-5 = 60, more = 0": ""},
        "evaluation.questions[0].answers",
        "needs two answers or more",
    ),
    Broken(
        "budgets_are_evaluated_by_the_ongoing_rate",
        "cornwall",
        {'rule = "ongoing_rate_after_budget"': 'rule = "lowest_price"'},
        "lots[0].sets_budget",
        "has nothing to compare",
    ),
    Broken(
        "budgets_are_evaluated_by_the_ongoing_rate",
        "cornwall",
        {"sets_budget = true": ""},
        "evaluation.rule",
        "no lot sets a budget",
    ),
    Broken(
        "the_lot_parts_ties_last",
        "liverpool",
        {'"fewer_hours_28_days", "lot"]': '"lot", "fewer_hours_28_days"]'},
        "ties[4]",
        "the lot must come last",
    ),
    Broken(
        "the_lot_parts_ties_last", "liverpool", {'"own_preference"': '"earlier_start"'}, "ties[2]", "is named twice"
    ),
    Broken(
        "terms_are_whole",
        "liverpool",
        {"start_delay_pence_per_day = { standard = 200, ": "start_delay_pence_per_day = { "},
        "allocation.terms.start_delay_pence_per_day",
        "says nothing of standard",
    ),
    Broken(
        "terms_are_whole",
        "liverpool",
        {'    "coverage_target",\n': "", "coverage_target = 3\n": ""},
        "allocation.terms.coverage_target",
        "coverage needs a price and a target",
    ),
    Broken(
        "joint_terms_are_published_and_priced",
        "liverpool",
        {'    "entry_pence",\n': ""},
        "allocation.terms.entry_pence",
        "not published",
    ),
    Broken(
        "joint_terms_are_published_and_priced",
        "liverpool",
        {"entry_pence = 5000\n": ""},
        "allocation.terms.entry_pence",
        "is published, but has no price",
    ),
    Broken(
        "joint_terms_are_published_and_priced",
        "liverpool",
        {'    "entry_pence",\n': '    "entry_price",\n'},
        "allocation.published[2]",
        "'entry_price' is no term (did you mean 'entry_pence'?)",
    ),
    Broken(
        "joint_terms_are_published_and_priced",
        "liverpool",
        {JOINT: f"{JOINT}\n{KEPT}"},
        "allocation.joint_as_advice",
        "no advice from itself",
    ),
    Broken(
        "per_package_weighs_no_terms",
        "st-helens",
        {KEPT: ""},
        "allocation.terms.unplaced_pence_per_hour",
        "is weighed by nothing",
    ),
    Broken(
        "per_package_weighs_no_terms",
        "cornwall",
        {'mode = "per_package"': f'mode = "per_package"\n{KEPT}'},
        "allocation.terms.unplaced_pence_per_hour",
        "a joint answer says what it costs",
    ),
    Broken(
        "approval_limits_are_in_order",
        "liverpool",
        {"automatic_to_pence = 40000": "automatic_to_pence = 100001"},
        "award.automatic_to_pence",
        "is above second_person_above_pence",
    ),
    Broken(
        "demonstration_runs_within_the_term",
        "liverpool",
        {"starts_at = 2019-06-03T08:00:00+01:00": "starts_at = 2022-10-01T08:00:00+01:00"},
        "demo.starts_at",
        "2022-10-01 is outside the term",
    ),
    Broken(
        "demonstration_runs_within_the_term",
        "liverpool",
        {"rate_pence_per_hour = 1640": "rate_pence_per_hour = 2000"},
        "demo.rate_pence_per_hour",
        "2000 is outside lot 'personal-care'",
    ),
    Broken(
        "variations_are_within_their_bounds",
        "kent-flex",
        {"ends = 2014-02-01": "starts = 2014-02-01\nends = 2014-02-01"},
        "variations.flex.exclusions[1].ends",
        "is not after the start",
    ),
    Broken(
        "variations_are_within_their_bounds",
        "worcestershire",
        {"earliest_weeks = 3": "earliest_weeks = 7"},
        "variations.review.due_weeks",
        "before the first proposal in week 7",
    ),
    Broken(
        "a_lot_is_paid_in_one_way",
        "cornwall",
        {'lots = ["ongoing", "supportive-lifestyles"]\nmodel': 'lots = ["enablement"]\nmodel'},
        "payments[1].lots[0]",
        "'enablement' is paid for already",
    ),
    Broken(
        "a_lot_is_paid_in_one_way",
        "cornwall",
        {'lots = ["enablement"]\nmodel': 'lots = ["ongoin"]\nmodel'},
        "payments[0].lots[0]",
        "did you mean 'ongoing'",
    ),
    Broken(
        "a_lot_is_paid_in_one_way",
        "cornwall",
        {'lots = ["enablement"]\nmodel': 'lots = ["ongoing"]\nmodel'},
        "payments[0].lots[0]",
        "sets no budget",
    ),
    Broken(
        "payments_have_their_models_terms",
        "kingston",
        {"at_risk_percent = 30\n": ""},
        "payments[0].at_risk_percent",
        "is missing: share_at_risk is reckoned with it",
    ),
    Broken(
        "payments_have_their_models_terms",
        "kingston",
        {'model = "commissioned"': 'model = "commissioned"\ntolerance_percent = 5'},
        "payments[3].tolerance_percent",
        "is no term of commissioned",
    ),
    Broken(
        "payments_have_their_models_terms",
        "kingston",
        {'key = "100-to-200"': 'key = "to-100"'},
        "payments[4].weekly_prices[1].key",
        "'to-100' is used twice",
    ),
    Broken(
        "payments_have_their_models_terms",
        "kingston",
        {"chessington = 200000000": "chesington = 200000000"},
        "payments[5].area_budgets.chesington",
        "did you mean 'chessington'",
    ),
    Broken(
        "failing_can_be_told_and_challenged",
        "cornwall",
        {"failures = 3\n": "failures = 6\n"},
        "enablement.failures",
        "6 of 5 can't fail",
    ),
    Broken(
        "failing_can_be_told_and_challenged",
        "cornwall",
        {"challenge_days = 14": "challenge_days = 29"},
        "enablement.challenge_days",
        "more than the notice of 28 days",
    ),
    Broken(
        "indicators_can_be_counted",
        "kingston",
        {'key = "independent"\nfollow_up = "91-days"': 'key = "independent"\nfollow_up = "91-day"'},
        "indicators[2].follow_up",
        "did you mean '91-days'",
    ),
    Broken(
        "indicators_can_be_counted",
        "kingston",
        {'key = "spend"\n': 'key = "spend"\ntarget_percent = 5\n'},
        "indicators[3].target_percent",
        "is no term of spend",
    ),
    Broken(
        "recognition_is_whole",
        "cornwall",
        {"hand_backs_weight = 15": "hand_backs_weight = 14"},
        "recognition.outcomes_weight",
        "make 99, not 100",
    ),
    Broken(
        "recognition_is_whole",
        "cornwall",
        {"approved = 50": "approved = 71"},
        "recognition.least_scores.approved",
        "nobody new could join",
    ),
    Broken(
        "recognition_is_whole",
        "liverpool",
        {"rating_points = 100": "rating_points = 60\nrecognition_points = 40"},
        "evaluation.recognition_points",
        "the scheme has no [recognition]",
    ),
    Broken(
        "lists_keep_their_shape",
        "halton",
        {'shape = "single"': 'shape = "single"\nmost = 2'},
        "lists[0].most",
        "single is one provider by itself",
    ),
    Broken(
        "lists_keep_their_shape",
        "cornwall",
        {'shape = "several_per_area"': 'shape = "one_per_area"', 'reach = "neighbours"': 'reach = "locality"'},
        "ladders[0]",
        "one provider has no cover",
    ),
    Broken(
        "blocks_can_be_offered",
        "worcestershire",
        {'[blocks]\nlots = ["home-care"]': '[blocks]\nlots = ["home-car"]'},
        "blocks.lots[0]",
        "is no lot of this scheme",
    ),
    Broken(
        "blocks_can_be_offered",
        "worcestershire",
        {'"block_hours", ': ""},
        "direct_award.reasons",
        "block_hours stands here where there are [blocks]",
    ),
    Broken(
        "area_contracts_are_of_known_places",
        "kingston",
        {'lots = ["whole-area"]\nlocalities': 'lots = ["whole-are"]\nlocalities'},
        "area_contracts[0].lots[0]",
        "did you mean 'whole-area'",
    ),
    Broken(
        "area_contracts_are_of_known_places",
        "kingston",
        {'localities = ["new-malden", "chessington"]': 'localities = ["new-malden", "surbiton"]'},
        "area_contracts[2].localities[1]",
        "'personal-care' is let there by another contract",
    ),
    Broken(
        "area_contracts_have_their_models_terms",
        "kingston",
        {'model = "outcomes_in_budget"': 'model = "rate_card"'},
        "area_contracts[0].elements",
        "is missing: rate_card is bid for with it",
    ),
    Broken(
        "area_contracts_have_their_models_terms",
        "kingston",
        {'locality = "kingston-town", budget': 'locality = "surbiton", budget'},
        "area_contracts[0].areas",
        "each of the contract's localities once",
    ),
    Broken(
        "area_contracts_have_their_models_terms",
        "kingston",
        {'model = "rate_card"': 'model = "separate_rates"'},
        "area_contracts[1].elements",
        "has one element for each of the contract's lots",
    ),
    Broken(
        "area_bids_can_be_ranked",
        "kingston",
        {'formula = "lowest_over_bid"': 'formula = "linear_in_envelope"'},
        "evaluation.formula",
        "an area has no envelope",
    ),
    Broken(
        "custodians_can_open",
        "worcestershire",
        {'[custody]\nlots = ["home-care"]': '[custody]\nlots = ["home-car"]'},
        "custody.lots[0]",
        "is no lot of this scheme",
    ),
    Broken(
        "custodians_can_open",
        "worcestershire",
        {"needed = 2\n": "needed = 4\n"},
        "custody.needed",
        "4 of 3 custodians can't be there",
    ),
]


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: f"{broken.rule}: {broken.key}")
def test_a_broken_rule_is_named_by_key_and_reason(broken: Broken) -> None:
    text = with_changes(broken.preset, broken.changes)

    faults = faults_of(text)

    assert broken.words in faults[broken.key]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_every_rule_is_broken_by_an_example(rule: object) -> None:
    assert getattr(rule, "__name__", "") in {broken.rule for broken in BROKEN}


def test_a_stage_that_reaches_neighbours_needs_them_stated() -> None:
    text = with_changes("cornwall", {})
    alone = "\n".join(line for line in text.splitlines() if not line.startswith("neighbours = "))

    assert "no neighbours are stated for penwith" in faults_of(alone)["ladders[0].stages[1].reach"]


def test_speed_may_decide_outside_a_crisis_where_the_stage_permits_it() -> None:
    changes = {'mode = "acceptance_window"': 'mode = "first_acceptance"\nspeed_permitted = true'}

    assert faults_of(with_changes("liverpool", changes)) == {}


def test_a_sector_may_be_taken_out_of_a_district_of_another_locality() -> None:
    changes = {'"L24 0"': '"L18 0"'}

    assert faults_of(with_changes("liverpool", changes)) == {}


def test_a_new_envelope_may_start_within_the_term_and_a_zone_may_have_its_own() -> None:
    zone = '{ floor_pence_per_hour = 1500, ceiling_pence_per_hour = 2500, localities = ["speke-garston"] }'
    envelopes = f"{SECOND_ENVELOPE % ', starts = 2018-04-01'}".replace("}]", f"}}, {zone}]")

    text = with_changes("liverpool", {"ceiling_pence_per_hour = 1900 }]": envelopes})

    assert faults_of(text) == {}


def test_an_open_framework_may_last_eight_years_to_the_day() -> None:
    changes = {
        "light_touch_framework": "open_framework",
        "starts = 2017-10-01": "starts = 2025-03-01",
        "ends = 2022-10-01": "ends = 2033-03-01",
        "starts_at = 2019-06-03": "starts_at = 2027-06-07",
    }

    assert faults_of(with_changes("liverpool", changes)) == {}
