"""Rules on another council's ground: still a sound scheme, with the ground's people, places and prices."""

from itertools import permutations

import pytest

from dps.kernel.errors import BadInput
from dps.schemes.loader import canonical, from_canonical, preset, presets
from dps.schemes.model import Ladder, Mode, Scheme
from web.simulation.ground import playable, put_on, refuse_person_only


@pytest.mark.parametrize("key", presets())
def test_every_council_s_rules_stand_on_every_other_s_ground(key: str) -> None:
    ground = preset(key)

    for other in presets():
        placed = put_on(preset(other), ground).scheme

        # Read again as a stored rule set is: keys, kinds and what stands in which section.
        read = from_canonical(canonical(placed))
        assert read.localities == ground.localities
        assert {lot for ladder in read.ladders for lot in ladder.lots} == {lot.key for lot in ground.lots}
        assert all(read.ladder(lot.key, urgency).stages for lot in read.lots for urgency in read.award.acceptance)
        assert (read.evaluation, read.allocation, read.award) == (
            preset(other).evaluation,
            preset(other).allocation,
            preset(other).award,
        )


@pytest.mark.parametrize(("rules", "ground"), list(permutations(["liverpool", "worcestershire", "halton"], 2)))
def test_a_stage_at_a_published_price_has_one_within_the_ground_s_envelope(rules: str, ground: str) -> None:
    placed = put_on(preset(rules), preset(ground)).scheme

    for lot in placed.lots:
        modes = {stage.mode for ladder in placed.ladders if lot.key in ladder.lots for stage in ladder.stages}
        if modes - {Mode.SEALED_BID}:
            price, envelope = lot.offer_pence_per_hour, lot.envelopes[0]
            assert price is not None
            assert envelope.floor_pence_per_hour <= price <= envelope.ceiling_pence_per_hour


def test_what_was_translated_is_said_and_an_edited_copy_needs_no_translation() -> None:
    liverpool = preset("liverpool")
    copy = liverpool.model_copy(update={"key": "liverpool-tried"})

    assert put_on(copy, liverpool).notes == ()
    assert put_on(preset("st-helens"), liverpool).notes == (
        "The rules of st-helens are played on the ground of liverpool: its buyers, people, places and prices.",
        "st-helens does not buy Reablement, Community support, Home First plus: treated as its Personal care at home.",
    )


def test_a_year_beyond_the_term_is_refused_with_the_most_that_can_be_played() -> None:
    with pytest.raises(BadInput, match="at most 21 weeks can be played"):
        playable(preset("kent-flex"), weeks=22)

    assert playable(preset("kent-flex"), weeks=21).demo == preset("kent-flex").demo


def test_a_scheme_without_a_demonstration_is_refused_with_what_it_lacks() -> None:
    scheme = preset("halton").model_copy(update={"demo": None})

    with pytest.raises(BadInput, match=r"no \[demo\] section"):
        playable(scheme, weeks=1)


def test_a_stage_that_a_person_must_decide_is_refused_by_name() -> None:
    with pytest.raises(BadInput, match="stage lead of halton awards directly"):
        refuse_person_only(with_modes(preset("halton"), Mode.DIRECT_AWARD))


def with_modes(scheme: Scheme, mode: Mode) -> Scheme:
    """The scheme with every stage in this mode."""

    def changed(ladder: Ladder) -> Ladder:
        return ladder.model_copy(
            update={"stages": tuple(stage.model_copy(update={"mode": mode}) for stage in ladder.stages)}
        )

    return scheme.model_copy(update={"ladders": tuple(changed(ladder) for ladder in scheme.ladders)})
