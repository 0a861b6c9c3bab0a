"""Builds `web/static/` from the installed packages and this folder: `python -m web.frontend.build` (`make setup`).

Each file gets the first digits of its SHA-256 into its name, so that browsers may keep it for ever; `names.json` says
which file is which. GDS Transport may be used on GOV.UK alone, and the crown and the crest are the Crown's: the fonts
are cut out of the style sheet, and no picture is copied.
"""

import hashlib
import json
import re
import shutil
import sys
from pathlib import Path

HERE = Path(__file__).parent
PACKAGES = HERE / "node_modules"
STATIC = HERE.parent / "static"
NAMES = "names.json"

SYSTEM_FONTS = 'system-ui,-apple-system,"Segoe UI",Roboto,Ubuntu,"Noto Sans",arial,sans-serif'
_GOVUK = PACKAGES / "govuk-frontend" / "dist" / "govuk"


def build(*, packages: Path = PACKAGES, static: Path = STATIC) -> dict[str, str]:
    """Write everything anew; returns which file stands for which name."""
    govuk = packages / "govuk-frontend" / "dist" / "govuk"
    files = {
        "govuk.css": without_reserved_parts((govuk / "govuk-frontend.min.css").read_text()).encode(),
        "govuk.js": _without_map((govuk / "govuk-frontend.min.js").read_text()).encode(),
        "htmx.js": (packages / "htmx.org" / "dist" / "htmx.min.js").read_bytes(),
        "dps.css": (HERE / "dps.css").read_bytes(),
        "dps.js": b";\n".join((HERE / part).read_bytes() for part in ("dps.js", "passkeys.js")),
        "icon.svg": (HERE / "icon.svg").read_bytes(),
    }
    shutil.rmtree(static, ignore_errors=True)
    static.mkdir(parents=True)
    names = {}
    for name, content in files.items():
        stem, _, ending = name.partition(".")
        names[name] = f"{stem}.{hashlib.sha256(content).hexdigest()[:16]}.{ending}"
        (static / names[name]).write_bytes(content)
    (static / NAMES).write_text(json.dumps(names, indent=2) + "\n")
    return names


def without_reserved_parts(css: str) -> str:
    """The style sheet without GDS Transport, without the crest, and without the address of its source map."""
    css = re.sub(r"@font-face\{[^}]*\}", "", css)
    css = re.sub(r"font-family:GDS Transport,arial,sans-serif", f"font-family:{SYSTEM_FONTS}", css)
    css = re.sub(r"url\(/assets/[^)]*\)", "none", css)
    css = re.sub(r"/\*#[^*]*\*/", "", css)
    if "GDS Transport" in css or "/assets/" in css:
        raise ValueError("this release of govuk-frontend names its fonts or pictures in a new way: look at it")
    return css


def _without_map(script: str) -> str:
    return re.sub(r"//# sourceMappingURL=\S+\s*$", "", script)


if __name__ == "__main__":
    if not _GOVUK.is_dir():
        sys.exit(f"{PACKAGES} lacks govuk-frontend: run `make setup`")
    build()
