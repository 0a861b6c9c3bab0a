"""What every part of a scheme is: a strict, unchanging record."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A part of a scheme: no unknown key, no silent conversion, never changed."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=False, arbitrary_types_allowed=True)
