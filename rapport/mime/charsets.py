"""Bytes to text: which character sets mail may name, and what is tried when the name is wrong."""

import codecs
import re
from functools import lru_cache

_ALLOWED = frozenset(
    """ascii utf-8 utf-7 utf-16 utf-16-le utf-16-be utf-32 utf-32-le utf-32-be
    iso8859-1 iso8859-2 iso8859-3 iso8859-4 iso8859-5 iso8859-6 iso8859-7 iso8859-8 iso8859-9 iso8859-10 iso8859-11
    iso8859-13 iso8859-14 iso8859-15 iso8859-16
    cp1250 cp1251 cp1252 cp1253 cp1254 cp1255 cp1256 cp1257 cp1258 cp437 cp850 cp852 cp855 cp858 cp862 cp866 cp874
    koi8-r koi8-u mac-roman mac-cyrillic mac-latin2 mac-greek mac-turkish tis-620 ptcp154
    gb18030 big5hkscs cp950 cp949 euc_kr johab cp932 shift_jis euc_jp iso2022_jp_2 iso2022_jp_ext iso2022_kr hz""".split()
)
"""Codecs, by Python's name, that turn bytes into text and do nothing else: no ``unicode_escape``, no ``zlib`` ([M2])."""

_MEANT = {
    # What senders mean is the superset: https://encoding.spec.whatwg.org/#names-and-labels
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "big5": "big5hkscs",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "iso2022_jp": "iso2022_jp_ext",
    "utf-8-sig": "utf-8",
}

_ALIASES = {
    "ks_c_5601-1987": "cp949",
    "ks_c_5601": "cp949",
    "ksc5601": "cp949",
    "x-windows-949": "cp949",
    "windows-31j": "cp932",
    "x-sjis": "cp932",
    "iso-8859-8-i": "iso8859-8",
    "iso-8859-8-e": "iso8859-8",
    "cp-850": "cp850",
    "x-mac-roman": "mac-roman",
    "macintosh": "mac-roman",
    "x-mac-cyrillic": "mac-cyrillic",
    "x-gbk": "gb18030",
    "x-euc-jp": "euc_jp",
    "gb_2312-80": "gb18030",
    "ansi_x3.4-1968": "ascii",
    "unicode-1-1-utf-7": "utf-7",
    "utf8": "utf-8",
    "utf8mb4": "utf-8",
    "windows-874": "cp874",
    "x-unknown": "",
    "unknown-8bit": "",
    "8bit": "",
    "default": "",
}

_FRAGILE = frozenset(("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"))
_NOT_ASCII = _FRAGILE | {"utf-7", "iso2022_jp_2", "iso2022_jp_ext", "iso2022_kr", "hz", "johab"}
"""Charsets in which octets below 128 may mean something else."""
_BARE_RETURN = re.compile(rb"\r(?!\n)")
_NAME = re.compile(r"[a-z0-9][a-z0-9_.:+()-]{1,39}")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def decode(data: bytes, declared: str = "") -> str:
    """Read text: as declared, else as UTF-8, else as declared with a few holes, else as windows-1252. Never raises."""
    codec = _codec(declared) if declared else ""
    if codec not in _NOT_ASCII and data.isascii():
        # Every other charset agrees on these, and this is the fastest way to read them.
        text = data.decode("ascii")
        return text.replace("\0", "") if b"\0" in data else text
    for attempt in (codec, "utf-8"):
        read = _strictly(data, attempt)
        if read is not None and attempt in _NOT_ASCII:
            return scrub(read)
        if read is not None:
            # Read strictly, the others give no lone surrogate, and a NUL only for a NUL.
            return read.replace("\0", "") if b"\0" in data else read
    return scrub(_with_holes(data, codec))


def decode_lines(data: bytes, declared: str = "") -> str:
    """Read text whose lines may end in any way, with line feeds only."""
    if b"\r" in data and _codec(declared) not in _NOT_ASCII:
        # Ten times as fast before decoding as after it; no character of these charsets holds the octet.
        data = data.replace(b"\r", b"") if not _BARE_RETURN.search(data) else data.replace(b"\r\n", b"\n")
    text = decode(data, declared)
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def warm_up() -> None:
    """Load every codec, so that reading mail needs no file any more."""
    for name in _ALLOWED:
        codecs.lookup(name)


def scrub(text: str) -> str:
    """Take out what databases and JSON refuse: NUL and lone surrogates (hazard 71)."""
    if "\0" in text:
        text = text.replace("\0", "")
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return _LONE_SURROGATE.sub("\ufffd", text)
    return text


@lru_cache(maxsize=1_000)
def _codec(declared: str) -> str:
    name = declared.strip().strip("\"'").lower()
    # RFC 2231, 5: a language may follow.
    name = name.partition("*")[0]
    name = _ALIASES.get(name, name)
    if not _NAME.fullmatch(name):
        return ""
    try:
        found = codecs.lookup(name).name
    except (LookupError, ValueError):
        return ""
    found = _MEANT.get(found, found)
    return found if found in _ALLOWED else ""


def _strictly(data: bytes, codec: str) -> str | None:
    if not codec:
        return None
    try:
        text = data.decode(codec)
    except (UnicodeError, ValueError):
        return None
    return text.removeprefix("\ufeff")


def _with_holes(data: bytes, codec: str) -> str:
    """One broken character must not turn a whole Chinese mail into Latin letters."""
    for attempt in (codec, "utf-8"):
        if not attempt or attempt in _FRAGILE or attempt in ("ascii", "cp1252"):
            continue
        try:
            text = data.decode(attempt, "replace")
        except (UnicodeError, ValueError):
            continue
        if text.count("\ufffd") * 20 <= len(text):
            return text.removeprefix("\ufeff")
    return data.decode("cp1252", "replace")
