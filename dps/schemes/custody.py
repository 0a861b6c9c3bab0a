"""What a scheme says of bids that its own officers can't open alone."""

from typing import Annotated

from pydantic import Field

from dps.schemes.section import Section
from dps.schemes.vocabulary import Key, Pence


class Custody(Section):
    """Sealed bids in these lots are opened only by `needed` of at least `custodians` named key-holders.

    It holds for packages that may cost more than `above_weekly_pence` a week at the envelope's ceiling, for those whose
    minutes are not known yet, and for every bid for one of the `area_contracts`.
    """

    lots: tuple[Key, ...] = ()
    above_weekly_pence: Pence
    area_contracts: tuple[Key, ...] = ()
    needed: Annotated[int, Field(ge=2, le=15)]
    custodians: Annotated[int, Field(ge=2, le=15)]
