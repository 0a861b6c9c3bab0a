"""Whom the law lets nobody charge."""

import pytest

from dps.law.charging import is_free_of_charge
from dps.packages.facts import FundingStream


@pytest.mark.parametrize("funding", FundingStream)
def test_the_law_frees_what_the_nhs_pays_alone_and_after_care_and_leaves_the_rest_to_councils(
    funding: FundingStream,
) -> None:
    assert is_free_of_charge(funding) is (funding in (FundingStream.CHC, FundingStream.SECTION_117))
