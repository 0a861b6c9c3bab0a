"""A council's rules that are refused, with every fault."""

from dps.kernel.errors.families import BadInput


class BadScheme(BadInput):
    """A scheme file is refused: `faults` are all of its faults, each a key and a reason; each is a line of words."""

    code = "bad_scheme"

    def __init__(self, faults: tuple[tuple[str, str], ...], *, file: str) -> None:
        self._lines = [": ".join(filter(None, (file, *fault))) for fault in faults]
        super().__init__(faults[0][1], file=file, field=faults[0][0] or None, faults=faults)

    def _words(self) -> str:
        return "\n".join(self._lines)
