"""Links that do not lead where they say (R18): judged, and marked where they stand.

The list of public suffixes is a small one of our own: where it is wrong, a mark is missing or one too many, and nothing
else depends on it.
"""

import html as entities
import re
import unicodedata
from urllib.parse import unquote, urlsplit

_BIDI = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_ADDRESS_IN_TEXT = re.compile(r"https?://([^\s/?#\\]{1,300})", re.IGNORECASE)
_BARE_HOST = re.compile(r"((?:[^\s/@:?#.<>()]{1,63}\.){1,10}[a-z]{2,24})(?::\d{1,5})?(?:[/?#]\S*)?", re.IGNORECASE)
_MAIL = re.compile(r"[^\s@<>]{1,64}@([^\s@<>]{1,255})")
_ENDINGS = frozenset(
    "com net org edu gov mil int info biz name pro app dev online shop site store xyz top example".split()
)
_FILES = frozenset("ai cc md pl ps py rs sh so st tf".split())
"""Countries whose ending more often belongs to a file."""
_SECOND = frozenset(
    "ac co com edu go gob gouv gov govt gv id in info ltd me mil ne net nhs nom or org plc police sch web".split()
)
"""Below a country's ending these are no firm's own."""
_SHARED = frozenset(
    """amazonaws.com appspot.com azurewebsites.net blogspot.com cloudfront.net firebaseapp.com fly.dev github.io
    gitlab.io glitch.me godaddysites.com herokuapp.com myshopify.com netlify.app ngrok.app ngrok.io onrender.com pages.dev
    r2.dev repl.co surge.sh tumblr.com vercel.app web.app webflow.io weebly.com wixsite.com wordpress.com
    workers.dev""".split()
)
"""Domains below which everybody has one."""
_LOOKS_LATIN = frozenset("асеорхуіјѕԁһӏԛԝгпкмтвн" + "οαινρτυκ")
_LINK = re.compile(r"""<a((?:\s[^\s"=>]+="[^"]*")*)>""")
_HREF = re.compile(r'\shref="([^"]*)"')
_ANY_TAG = re.compile(r"<[^>]*>")
_STYLE = (
    "all:initial!important;display:inline!important;margin-inline-start:.4em!important;padding:0 .4em!important;"
    "border-radius:4px!important;font:12px/1.4 system-ui,sans-serif!important;white-space:nowrap!important;"
    "background:light-dark(#FCF2DD,#35280F)!important;color:light-dark(#7A4B05,#EBBF6E)!important"
)


def marked(html: str) -> str:
    """Cleaned HTML with a mark after every link that leads elsewhere than it says.

    It is written after cleaning, of constant markup and escaped words; important style on the element itself is what
    no style sheet of the mail can undo.
    """
    out: list[str] = []
    done = 0
    for link in _LINK.finditer(html):
        href = _HREF.search(link[1])
        end = html.find("</a>", link.end())
        if not href or end < 0:
            continue
        said = entities.unescape(_ANY_TAG.sub("", html[link.end() : end][:2_000]))
        trouble = warning(entities.unescape(href[1]), said)
        if trouble:
            words = entities.escape(trouble)
            out += [html[done : link.start()], f'<a title="{words}"', html[link.start() + 2 : end + 4]]
            out.append(f'<span role="note" style="{_STYLE}" title="{words}">{entities.escape(_hint(href[1]))}</span>')
            done = end + 4
    return "".join(out) + html[done:]


def warning(href: str, said: str) -> str:
    """What a reader should know before following a link; empty where there is nothing to know."""
    host = _host(href)
    claimed = _claimed(_BIDI.sub("", said).strip(), mail=href[:7].lower() == "mailto:")
    # In prose from right to left these signs have their place; in an address they have none.
    if _BIDI.search(unquote(_authority(href))) or (claimed and _BIDI.search(said)):
        return f"This link uses hidden signs that turn text around. It leads to {host}."
    if href[:4].lower() == "http" and "@" in _authority(href):
        return f"This link hides its target behind a name. It leads to {host}."
    if any(_is_lookalike(label) for label in host.split(".")):
        return f"The letters of this address only look familiar. It leads to {_ascii(host)}."
    if claimed and host and registrable(_plain(claimed)) != registrable(host):
        return f"This link says {claimed[:100]} and leads to {host}."
    return ""


def registrable(host: str) -> str:
    """The domain somebody registered: ``shop.co.uk`` of ``www.shop.co.uk``."""
    labels = host.strip(".").split(".")
    if all(label.isdecimal() for label in labels) or ":" in host:
        return host
    shared = ".".join(labels[-2:]) in _SHARED
    second = len(labels[-1]) == 2 and len(labels) > 1 and labels[-2] in _SECOND
    return ".".join(labels[-3:] if shared or second else labels[-2:])


def _authority(href: str) -> str:
    # Browsers read a backslash as a slash, and what comes before an at sign as a name.
    return re.split(r"[/?#]", href.replace("\\", "/").partition("//")[2], maxsplit=1)[0]


def _host(href: str) -> str:
    """Where a link leads: a host in letters as they are, lower case; of mailto: the domain."""
    if href[:7].lower() == "mailto:":
        return _plain(unquote(href[7:]).partition("?")[0].rpartition("@")[2])
    if href[:4].lower() != "http":
        return ""
    try:
        return _plain(urlsplit("//" + unquote(_authority(href)).rpartition("@")[2]).hostname or "")
    except ValueError:
        return ""


def _plain(host: str) -> str:
    """One way to write a host: NFKC, lower case, international labels decoded."""
    host = unicodedata.normalize("NFKC", host[:300]).lower().strip(".").replace("。", ".")
    return ".".join(_decoded(label) if label.startswith("xn--") else label for label in host.split("."))


def _decoded(label: str) -> str:
    try:
        return label.removeprefix("xn--").encode("ascii").decode("punycode")
    except (UnicodeError, ValueError):
        return label


def _ascii(host: str) -> str:
    try:
        return host.encode("idna").decode("ascii")
    except (UnicodeError, ValueError):
        return host


def _claimed(said: str, *, mail: bool) -> str:
    """The host a link's words name; empty where they name none."""
    if mail:
        found = _MAIL.fullmatch(said)
        return found[1].strip(".").lower() if found else ""
    if found := _ADDRESS_IN_TEXT.search(said):
        return found[1].rpartition("@")[2].partition(":")[0].lower()
    found = _BARE_HOST.fullmatch(said)
    if not found:
        return ""
    host = found[1].lower()
    ending = host.rpartition(".")[2]
    known = ending in _ENDINGS or (len(ending) == 2 and ending not in _FILES)
    return host if known or host.startswith("www.") else ""


def _is_lookalike(label: str) -> bool:
    """Letters of several scripts in one label, or of a foreign one that all look like Latin ones."""
    if label.isascii():
        return False
    scripts = {unicodedata.name(sign, "?").partition(" ")[0] for sign in label if sign.isalpha()}
    if len(scripts) == 1:
        return all(sign in _LOOKS_LATIN for sign in label if sign.isalpha())
    # Japanese is written in three scripts, Korean in two.
    together = scripts - {"CJK", "HIRAGANA", "KATAKANA", "HANGUL", "KATAKANA-HIRAGANA", "BOPOMOFO", "LATIN"}
    return bool(together)


def _hint(href: str) -> str:
    host = _ascii(_host(entities.unescape(href)))
    return f"leads to {host[:60]}" if host else "be careful"
