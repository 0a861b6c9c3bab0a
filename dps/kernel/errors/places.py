"""Postcodes, directories and localities that make no sense."""

from dps.kernel.errors.families import BadInput, Refused


class NotAPostcode(BadInput):
    """The text has not the form of a complete postcode; `fault` says why, `suggestions` what may have been meant."""

    code = "not_a_postcode"


class BadDirectory(BadInput):
    """A postcode directory can't be loaded: nothing of it was."""

    code = "bad_postcode_directory"


class LocalitiesOverlap(BadInput):
    """One district or sector stands in two localities, so that a postcode would belong to both."""

    code = "localities_overlap"


class NotComparable(Refused):
    """Two positions on different grids have no distance."""

    code = "positions_not_comparable"
    sentence = "A position on the {one} grid and one on the {other} grid can't be compared."
