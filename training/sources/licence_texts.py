"""Which licence a text is or grants: full texts, grants in source headers, SPDX tags. Knows no metadata."""

from __future__ import annotations

import re

from training.sources.licence_names import spdx_of
from training.sources.spdx import is_permissive

HEADER_CHARACTERS = 4000
"""How much of a source file's beginning is looked at."""

_GNU = r"GNU\s+(?:(?:Lesser|Library|Affero)\s+)?(?:General\s+)?(?:Public\s+)?Licen[cs]e"
_RESTRICTIVE = {
    "GPL": re.compile(
        # A title, then a version; or a grant. "Compatible with the GNU General Public License" is neither.
        rf"(?i)^\W*{_GNU}\W*\n\W*version\s+[0-9]"
        rf"|under\s+(?:the\s+)?(?:terms\s+(?:of|and\s+conditions\s+of)\s+)?(?:either\s+)?(?:the\s+)?{_GNU}"
        r"|licen[cs]ed\s+under\s+(?:the\s+)?(?:GNU\s+)?[AL]?GPL|^\W*licen[cs]e:\s*[AL]?GPL"
        r"|under\s+the\s+terms\s+of\s+(?:the\s+)?(?:GNU\s+)?[AL]?GPL",
        re.MULTILINE,
    ),
    "MPL": re.compile(
        r"(?i)^\W*Mozilla\s+Public\s+License\W+version|terms\s+of\s+the\s+Mozilla\s+Public", re.MULTILINE
    ),
    "EPL": re.compile(
        r"(?i)^\W*Eclipse\s+Public\s+License|terms\s+of\s+the\s+Eclipse\s+Public", re.MULTILINE
    ),
    "CDDL": re.compile(r"(?i)Common\s+Development\s+and\s+Distribution\s+License"),
    "EUPL": re.compile(r"(?i)European\s+Union\s+Public\s+Licen[cs]e"),
    "CECILL": re.compile(r"(?i)\bCeCILL\b"),
    "SSPL": re.compile(r"(?i)Server\s+Side\s+Public\s+License"),
    "BUSL": re.compile(r"(?i)Business\s+Source\s+License"),
    "Commons-Clause": re.compile(r"(?i)Commons\s+Clause"),
    "Elastic": re.compile(r"(?i)Elastic\s+License\s+(?:v|version\s+)?[12]|PolyForm\s+\w+"),
    "CC-BY": re.compile(r"(?i)Creative\s+Commons\s+Attribution\W+(?:Non|Share|No)|\bCC[ -]BY-(?:NC|SA|ND)"),
    "NonCommercial": re.compile(
        r"(?i)(?<!\band )(?<!\bor )\bnon-?commercial\s+(?:use|purposes?|research)|academic\s+use\s+only"
    ),
    "Proprietary": re.compile(r"(?i)proprietary\s+and\s+confidential|unauthorized\s+copying\s+of"),
}
_PERMISSIVE = {
    "Apache-2.0": re.compile(
        r"(?i)Apache\s+License\W+version\s+2|apache\.org/licenses/LICENSE-2\.0|Apache-2\.0"
    ),
    "BSD-3-Clause": re.compile(
        r"(?is)Redistributions?\s+(?:of|in)\s+source.*(?:Neither\s+(?:the\s+)?name|may\s+not\s+be\s+used\s+to\s+endorse"
        r"|names?\s+of\s+(?:\S+\s+){1,12}?(?:may|must)\s+not\s+be)"
    ),
    "BSD-2-Clause": re.compile(r"(?i)Redistributions?\s+(?:of|in)\s+source\s+(?:code|and\s+binary)"),
    "MIT-CMU": re.compile(
        r"(?is)Permission\s+to\s+use,\s+copy,\s+modify,?\s+and\s+distribute.*not\s+be\s+used\s+in\s+advert"
    ),
    "ISC": re.compile(
        r"(?i)Permission\s+to\s+use,\s+copy,\s+modify,?\s+and(?:/or)?\s+(?:sell\s+)?distribute"
    ),
    "MIT": re.compile(
        r"(?i)Permission\s+is\s+hereby\s+granted,?\s+free\s+of\s+charge|^\W*(?:The\s+)?MIT\s+licen[cs]e",
        re.MULTILINE,
    ),
    "Zlib": re.compile(r"(?i)freely,?\s+subject\s+to\s+the\s+following\s+restrictions"),
    "Unlicense": re.compile(r"(?i)free\s+and\s+unencumbered\s+software\s+released"),
    "CC0-1.0": re.compile(r"(?i)CC0\s+1\.0|CC0-1\.0"),
    "BSL-1.0": re.compile(r"(?i)Boost\s+Software\s+License"),
    "PSF-2.0": re.compile(r"(?i)Python\s+Software\s+Foundation\s+Licen[cs]e"),
    "ZPL-2.1": re.compile(r"(?i)Zope\s+Public\s+License"),
    "NCSA": re.compile(r"(?i)Illinois/NCSA"),
    "PostgreSQL": re.compile(r"(?i)PostgreSQL\s+Licen[cs]e"),
}
_COMMENT = re.compile(r"(?m)^[\s/*#;!|-]+")
"""What stands before each line of a header."""
_PYTHON = re.compile(r"previously\s+distributed\s+under\s+the\s+GNU\s+General\s+Public\s+License")
"""A sentence of Python's own licence, which grants nothing of the kind."""
_HINT = re.compile(r"licen[cs]e|gpl|cecill|commons|commercial|proprietary|unauthorized|academic")
"""Without one of these, nothing below is found: most files have none."""
_TAG = re.compile(r"SPDX-License-Identifier:[ \t]*([^\r\n*]*[^\r\n*\s/>-])")


def restrictive(text: str) -> frozenset[str]:
    """The families of licences in `text` that a corpus must not take (GPL with all its kin is one)."""
    text = _PYTHON.sub("", _COMMENT.sub("", text))
    return frozenset(family for family, pattern in _RESTRICTIVE.items() if pattern.search(text))


def recognised(text: str) -> str | None:
    """The permissive licence that a licence file is, as SPDX; None for one that is not known."""
    return next((spdx for spdx, pattern in _PERMISSIVE.items() if pattern.search(text)), None)


def forbids(source: str) -> str | None:
    """Why the header of a source file keeps it out, or None."""
    header = source[:HEADER_CHARACTERS]
    if not _HINT.search(header.lower()):
        return None
    tag = _TAG.search(header)
    if tag is not None:
        said = tag.group(1).strip()
        return None if is_permissive(spdx_of(said) or said) else f"its header is tagged {said}"
    families = restrictive(header)
    return f"its header says {', '.join(sorted(families))}" if families else None
