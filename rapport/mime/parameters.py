"""What stands behind the value of a structured header: ``name=value`` pairs (RFC 2045, 5.1; RFC 2231)."""

import re
from collections.abc import Mapping
from urllib.parse import unquote_to_bytes

from rapport.mime.charsets import decode
from rapport.mime.words import decode_words, one_line

_MOST = 2_000
"""Parameters of one header, pieces counted."""

# Linear: a name ends at the next semicolon, and a quoted value that never ends can begin only once.
_PARAMETER = re.compile(r';\s*([^\s=;"]{1,100})\s*=\s*(?:"((?:[^"\\]|\\.)*)(?:"|$)|([^;]*))', re.DOTALL)
_ESCAPED = re.compile(r'\\(["\\])')
_PIECE = re.compile(r"([^*]+)(?:\*(\d{1,4}))?(\*)?")
_VALUE = re.compile(r"[^;\s]*")


def read_parameters(header: str) -> tuple[str, Mapping[str, str]]:
    """The header's own value in lower case, and its parameters decoded, long ones put together."""
    value = _VALUE.match(header.strip())
    plain: dict[str, str] = {}
    pieces: dict[str, dict[int, tuple[bool, str]]] = {}
    for count, match in enumerate(_PARAMETER.finditer(header)):
        if count >= _MOST:
            break
        said = _ESCAPED.sub(r"\1", match[2]) if match[2] is not None else match[3].strip()
        name = _PIECE.fullmatch(match[1].lower())
        if not name:
            continue
        if name[2] or name[3]:
            pieces.setdefault(name[1], {}).setdefault(int(name[2] or 0), (bool(name[3]), said))
        else:
            plain.setdefault(name[1], said)
    found = {name: one_line(decode_words(said) if "=?" in said else said, 4_000) for name, said in plain.items()}
    # RFC 2231 wins over its plain twin, which is there for older programs (RFC 6266, 4.3 says the same).
    found |= {name: one_line(_joined(numbered), 4_000) for name, numbered in pieces.items()}
    return value[0].lower() if value else "", found


def _joined(numbered: Mapping[int, tuple[bool, str]]) -> str:
    out, charset = bytearray(), ""
    for expected, (number, (extended, said)) in enumerate(sorted(numbered.items())):
        if number != expected:
            break
        text = said
        if extended and number == 0 and said.count("'") >= 2:
            charset, _, text = said.split("'", 2)
        out += unquote_to_bytes(text) if extended else text.encode("utf-8", "replace")
    return decode(bytes(out), charset)
