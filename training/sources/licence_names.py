"""Licences as metadata write them, to SPDX. Knows no package."""

from __future__ import annotations

import re

from training.sources.spdx import is_permissive, rendered

NAMES = {
    **dict.fromkeys(
        ("expat", "mit license", "the mit license", "mit licence", "mit/expat", "mit-style"), "MIT"
    ),
    **dict.fromkeys(
        ("mit license (mit)", "the mit license (mit)", "mit-license", "mit no attribution"), "MIT"
    ),
    **dict.fromkeys(
        ("apache", "apache2", "apache 2", "apache 2.0", "apache-2", "apache license", "apache license 2.0"),
        "Apache-2.0",
    ),
    **dict.fromkeys(
        ("apache license, version 2.0", "apache license version 2.0", "apache software license", "apache2.0"),
        "Apache-2.0",
    ),
    **dict.fromkeys(
        ("apache software license 2.0", "apache license 2", "asl 2.0", "apache v2"), "Apache-2.0"
    ),
    **dict.fromkeys(
        ("bsd 3-clause", "3-clause bsd", "new bsd", "bsd-3", "modified bsd", "bsd 3-clause license", "bsd3"),
        "BSD-3-Clause",
    ),
    **dict.fromkeys(
        ("new bsd license", "3-clause bsd license", "bsd-3 clause", "modified bsd license"), "BSD-3-Clause"
    ),
    **dict.fromkeys(
        ("bsd 2-clause", "simplified bsd", "2-clause bsd", "bsd-2", "bsd 2-clause license"), "BSD-2-Clause"
    ),
    **dict.fromkeys(("isc license (iscl)", "isc license", "iscl"), "ISC"),
    **dict.fromkeys(("python software foundation license", "psf", "psf license"), "PSF-2.0"),
    **dict.fromkeys(("the unlicense (unlicense)", "the unlicense"), "Unlicense"),
    **dict.fromkeys(("zope public license", "zpl 2.1"), "ZPL-2.1"),
    **dict.fromkeys(("boost software license 1.0 (bsl-1.0)", "boost-1.0", "bsl-1", "boost"), "BSL-1.0"),
    **dict.fromkeys(("cc0 1.0 universal (cc0 1.0) public domain dedication", "cc0", "cc-0"), "CC0-1.0"),
    "zlib/libpng license": "Zlib",
    "mit no attribution license (mit-0)": "MIT-0",
    "historical permission notice and disclaimer (hpnd)": "HPND",
    "university of illinois/ncsa open source license": "NCSA",
}
"""Licences as metadata write them, to SPDX."""
VAGUE = frozenset({"bsd", "bsd license", "bsd licence", "bsd-like", "bsd-style"})
"""One of the BSD licences: the text tells which."""
PUBLIC = frozenset({"public-domain", "public domain"})
"""No licence in SPDX's sense: enough for a file, not for a package."""
_VARIANT = re.compile(r"(?i)^(bsd-[23]-clause|expat|mit|isc|apache-2\.0)[~-](?!CMU|Modern|0\b).*")
"""Debian tells apart who wrote the notice: `BSD-3-clause~Google`."""
_GNU = re.compile(r"(?i)^([al]?gpl)-([0-9])(\.[0-9])?(\+?)$")
"""As Debian writes it; one side of an `or` may well be that."""


def spdx_of(said: str) -> str | None:
    """What a name or an expression means; None where it is neither. A slash between names means either."""
    text = " ".join(said.split())
    if known := NAMES.get(text.lower()):
        return known
    words = re.split(r"\s+(and|or)\s+|/", text, flags=re.IGNORECASE)
    return rendered(text) or rendered(" ".join("OR" if each is None else _name(each) for each in words))


def is_usable(said: str) -> bool:
    """Whether a part of a package under this may be used; what is in the public domain may."""
    words = re.split(r"(\s+(?:and|or)\s+)", said)
    spdx = spdx_of("".join("CC0-1.0" if each.strip().lower() in PUBLIC else each for each in words))
    return spdx is not None and is_permissive(spdx)


def _name(word: str) -> str:
    if word.lower() in ("and", "or"):
        return word.upper()
    if known := NAMES.get(word.lower()):
        return known
    bare = word.strip("() ")
    plain = _VARIANT.sub(r"\1", bare)
    spdx = "BSD-3-Clause" if plain.lower() in VAGUE else NAMES.get(plain.lower(), plain)
    if gnu := _GNU.match(spdx):
        spdx = f"{gnu[1]}-{gnu[2]}{gnu[3] or '.0'}-{'or-later' if gnu[4] else 'only'}"
    return word.replace(bare, spdx) if bare else word
