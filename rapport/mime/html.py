"""HTML mail made safe to show: cleaned, then framed.

Three layers, each enough alone: what is left here runs and loads nothing; the document's own `CSP` forbids both; the
frame it is shown in is sandboxed without scripts (R12, R13, R15). Cleaning is the last thing done to the markup, but for
the marks behind links that do not lead where they say (`links`).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

import nh3

from rapport.mime.css import clean_declarations, clean_sheet
from rapport.mime.levels import FOLD_END, FOLD_START, TAGS, level
from rapport.mime.links import marked
from rapport.mime.plain import linked

CSP = (
    "sandbox allow-popups allow-popups-to-escape-sandbox allow-same-origin; default-src 'none'; img-src 'self' data:; "
    "style-src 'unsafe-inline'; font-src 'none'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'"
)
"""The Content-Security-Policy a mail's document is served with. Scripts are allowed nowhere in it."""

SANDBOX = "allow-popups allow-popups-to-escape-sandbox allow-same-origin"
"""The ``sandbox`` of the frame around it; the page around measures its height, so same origin, and never scripts."""

ColourScheme = str
"""``light``, ``dark``, or ``auto``: as the reader's system has it."""

_ATTRIBUTES = {
    "*": set("style class id dir lang title align valign width height bgcolor".split()),
    "a": {"href"},
    "img": set("src alt border hspace vspace".split()),
    "font": set("color face size".split()),
    "table": set("border cellpadding cellspacing summary".split()),
    "td": set("colspan rowspan nowrap".split()),
    "th": set("colspan rowspan nowrap scope".split()),
    "col": {"span"},
    "colgroup": {"span"},
    "ol": {"start", "type"},
    "ul": {"type"},
    "li": {"value", "type"},
    "hr": {"size", "noshade", "color"},
    "br": {"clear"},
    "blockquote": {"type"},
    "summary": {"aria-label"},
}
_CONTENT_GOES = set("script style title svg math textarea xmp iframe noembed noframes object applet template".split())
_SCHEMES = {"http", "https", "mailto", "tel", "cid", "data"}
_LINK = re.compile(
    r"(?:https?://|mailto:|tel:)[^\s\x00-\x20\x7f\\\u200e\u200f\u202a-\u202e\u2066-\u2069]+", re.IGNORECASE
)
_IMAGE = re.compile(r"data:image/(?:png|jpeg|jpg|gif|webp);base64,[A-Za-z0-9+/=\s]{1,350000}", re.IGNORECASE)
_CID = re.compile(r"cid:(.{1,500})", re.IGNORECASE | re.DOTALL)
_OURS = re.compile(r"(?:/(?!/)[^\s\\]*|data:image/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/=]*)")
_PAPER = re.compile(r"#?f{3}(?:f{3})?|white|transparent", re.IGNORECASE)
_INK = re.compile(r"#?0{3}(?:0{3})?|black|windowtext", re.IGNORECASE)


@dataclass(frozen=True)
class CleanHtml:
    """Markup that runs nothing and loads nothing but what ``inline`` gave, for `document` alone to frame."""

    html: str
    blocked_remote: int = 0
    """How many things it would have loaded from elsewhere."""
    css: str = ""
    """Its style sheets, filtered."""
    own_colours: bool = False
    """Whether it chooses colours, and so must be shown on a light sheet."""
    cut: bool = False
    """Whether it was longer than is shown."""


def clean(
    html: str,
    *,
    inline: Callable[[str], str | None],
    fold: bool = True,
    remote: Callable[[str], str | None] | None = None,
) -> CleanHtml:
    """Make a mail's HTML safe.

    ``inline`` gives the address of a picture by its Content-ID, ``remote`` that of our own copy of a picture elsewhere,
    once somebody asked to load them: both a path on this server. With ``fold``, quoted replies are put away.
    """
    levelled = level(html, fold=fold)
    cleaning = _Cleaning(inline, remote)
    sheets = [clean_sheet(sheet) for sheet in levelled.styles]
    body = cleaning.run(levelled.html)
    own = cleaning.own_colours or any(sheet.own_colours for sheet in sheets)
    loads = cleaning.blocked + sum(sheet.loads for sheet in sheets)
    if not own:
        # Ink and paper go, so that a plain mail takes the page's colours.
        body = _Cleaning(inline, remote, plain=True).run(levelled.html)
        sheets = [clean_sheet(sheet, plain=True) for sheet in levelled.styles]
    return CleanHtml(marked(body), loads, "\n".join(sheet.text for sheet in sheets if sheet.text), own, levelled.cut)


def from_text(text: str) -> CleanHtml:
    """A plain-text mail as HTML: escaped, its links made, its quotes folded, its spaces kept."""
    fresh, quoted = linked(text)
    folded = f'{FOLD_START}<div class="text">{quoted}</div>{FOLD_END}' if quoted.strip() else ""
    return CleanHtml(marked(f'<div class="text">{fresh}</div>{folded}'))


def document(clean: CleanHtml, *, dark: ColourScheme = "auto") -> str:
    """The whole document for the sandboxed frame, to be served with `CSP`."""
    scheme = "light" if clean.own_colours else {"dark": "dark", "light": "light"}.get(dark, "light dark")
    paper = _SHEET if clean.own_colours else ""
    # Sheets have been parsed and hold no "<"; say so again, where it matters.
    css = clean.css.replace("<", "")
    return (
        '<!doctype html><html><head><meta charset="utf-8"><meta name="referrer" content="no-referrer">'
        '<meta name="viewport" content="width=device-width"><title>Message</title>'
        f"<style>:root{{color-scheme:{scheme}}}{_BASE}{paper}</style><style>{css}</style></head>"
        f"<body>{clean.html}</body></html>"
    )


@dataclass
class _Cleaning:
    """One pass of the sanitiser, which asks about every attribute it has itself parsed."""

    inline: Callable[[str], str | None]
    remote: Callable[[str], str | None] | None
    plain: bool = False
    blocked: int = 0
    own_colours: bool = False
    _answers: dict[str, str | None] = field(default_factory=dict)

    def run(self, html: str) -> str:
        return nh3.clean(
            html,
            tags=set(TAGS),
            clean_content_tags=_CONTENT_GOES,
            attributes=_ATTRIBUTES
            | {"table": _ATTRIBUTES["table"] | {"background"}, "td": _ATTRIBUTES["td"] | {"background"}},
            attribute_filter=self._attribute,
            set_tag_attribute_values={"a": {"target": "_blank", "referrerpolicy": "no-referrer"}},
            url_schemes=_SCHEMES,
            link_rel="noopener noreferrer nofollow",
            strip_comments=True,
        )

    def _attribute(self, _tag: str, name: str, value: str) -> str | None:
        match name:
            case "style":
                return self._style(value)
            case "href":
                return _link(value)
            case "src":
                return self._image(value)
            case "background":
                self.blocked += 1
                return None
            case "bgcolor" | "color":
                return self._colour(name, value)
        return value

    def _style(self, value: str) -> str | None:
        style = clean_declarations(value, plain=self.plain)
        self.blocked += style.loads
        self.own_colours = self.own_colours or style.own_colours
        return style.text or None

    def _colour(self, name: str, value: str) -> str | None:
        if (_PAPER if name == "bgcolor" else _INK).fullmatch(value.strip()):
            return None if self.plain else value
        self.own_colours = True
        return value

    def _image(self, value: str) -> str | None:
        value = value.strip()
        if cid := _CID.fullmatch(value):
            return _ours(self.inline(cid[1].strip("<>")))
        if _IMAGE.fullmatch(value):
            return value
        if value.lower().startswith("data:"):
            return None
        self.blocked += 1
        if self.remote and value.lower().startswith(("http://", "https://")):
            return _ours(self.remote(value))
        return None


def _link(value: str) -> str | None:
    """An address that may be followed, else None (R18). Spaces around are forgiven, tricks within are not."""
    value = value.strip()
    return value if len(value) <= 4_000 and _LINK.fullmatch(value) else None


def _ours(address: str | None) -> str | None:
    """Only paths on this server, or a bounded picture, whatever the caller gave."""
    return address if address and _OURS.fullmatch(address) else None


_BASE = """
html{background:transparent}
body{margin:0;color:light-dark(#1D1C1A,#EDECE8);overflow-wrap:break-word;
font:14px/1.62 Inter,ui-sans-serif,system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
@media (pointer:coarse){body{font-size:15px}}
:where(p){margin:.75em 0}
:where(ul,ol){padding-inline-start:20px}
body>:first-child{margin-top:0}
body>:last-child{margin-bottom:0}
:where(a){color:light-dark(#00627C,#6CC9E4)}
img{max-width:100%}
img:not([src]){background:light-dark(#0000000d,#ffffff14);outline:1px dashed light-dark(#00000026,#ffffff2e);
outline-offset:-1px;font-size:12px}
img:not([src])[width="1"],img:not([src])[height="1"],img:not([src])[width="0"]{display:none}
pre,.text{white-space:pre-wrap;overflow-wrap:anywhere}
pre{font-family:ui-monospace,"SF Mono",Menlo,Consolas,monospace;font-size:13px}
blockquote{margin:.5em 0 .5em 2px;padding-left:12px;border-left:2px solid light-dark(#D6D5D0,#3A3A37)}
table{max-width:100%}
details.quote{margin:10px 0}
details.quote>summary{display:inline-block;list-style:none;cursor:pointer;padding:0 8px;border-radius:8px;
font-size:12px;line-height:16px;letter-spacing:1px;color:light-dark(#676560,#A3A19B);background:light-dark(#EFEFEC,#2A2A28)}
details.quote>summary::-webkit-details-marker{display:none}
details.quote>summary:hover{background:light-dark(#EBEBE7,#2B2B29)}
details.quote>summary:focus-visible{outline:2px solid light-dark(#0A86A8,#3DB4D6);outline-offset:1px}
details.quote[open]>summary{margin-bottom:8px}
"""
"""Ours: the colours of the page's own tokens, on the page's own paper."""

_SHEET = "html{background:#fff}body{padding:1px}@media (prefers-color-scheme:dark){body{padding:12px}}"
"""A mail with colours of its own lies on a light sheet, with a margin where the page around is dark."""
