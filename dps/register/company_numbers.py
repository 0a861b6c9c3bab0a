"""Company numbers as Companies House writes them: eight characters, a prefix for the register where there is one.

Source: the Companies House list of company number prefixes.
"""

import re

from dps.kernel.errors import BadCompanyNumber

_PREFIXES = (
    "AC BR CE CS FC FE GE GN GS IC IP LP NA NC NF NI NL NO NP NR NV NZ OC OE PC RC RS SA "
    "SC SE SF SG SI SL SO SP SR SZ ZC"
)
_FORM = re.compile(
    rf"[0-9]{{8}}|(?:{'|'.join(_PREFIXES.split())})[0-9]{{6}}"
    "|R[0-9]{7}"  # Northern Ireland before 1922
    "|(?:IP|SP|NP)[0-9]{5}R"  # registered societies, as they were once written
)
_LONGEST = 20


def parse_company_number(text: str) -> str:
    """The eight-character form: capitals, no spaces, zeros before a short English number; refuses anything else.

    A spreadsheet eats leading zeros, so five to seven digits are read as eight.
    """
    read = re.sub(r"\s", "", text).upper()
    if len(text) > _LONGEST or not read.isascii():
        raise BadCompanyNumber("this is no company number", field="company_number")
    if re.fullmatch(r"[0-9]{5,7}", read):
        read = read.zfill(8)
    if not _FORM.fullmatch(read) or set(read) == {"0"}:
        raise BadCompanyNumber(f"{text!r} is no company number, such as 01234567 or SC123456", field="company_number")
    return read
