"""HTML made level: every tag that is opened is closed, nothing nests without end, no comments, no raw text.

It comes before the sanitiser and is no part of what makes mail safe: it bounds what any HTML parser after it can be
made to do (50,000 nested elements, or unclosed bold text that each paragraph opens again, take seconds and gigabytes),
keeps parts from swallowing what follows them (R22), sets style sheets aside, and folds quoted replies. One pass, linear.
"""

import html as entities
import re
from collections import Counter
from dataclasses import dataclass, field

MOST = 2_000_000
"""Characters."""
MOST_TAGS = 100_000
DEEPEST = 250
"""Elements within elements; newsletters reach 120."""
_MOST_REOPENED = 500_000
"""Sum over all tags of the formatting elements around each: what a parser may have to open again."""
_MOST_STYLE = 200_000
"""Characters of style sheets."""

VOID = frozenset("br hr img wbr col".split())
FORMATTING = frozenset("a b big code em font i s small strike strong tt u".split())
BLOCKS = frozenset(
    """address article aside blockquote center dd details div dl dt figcaption figure footer h1 h2 h3 h4 h5 h6 header
    hr li main nav ol p pre section summary table ul""".split()
)
TABLE = frozenset("table caption colgroup col tbody thead tfoot tr td th".split())
OTHER = frozenset("span sub sup abbr cite del ins dfn kbd mark q samp var bdo bdi time wbr br img".split())
TAGS = BLOCKS | TABLE | FORMATTING | OTHER

WITH_TEXT = frozenset("script style title textarea xmp iframe noembed noframes svg math object applet select".split())
KEEPS_TEXT = frozenset(("textarea", "xmp"))
_IMPLIED = {
    # What an opening tag closes without saying so, and what stops the search for it (HTML Standard, 13.1.2.4).
    "li": (frozenset(("li",)), frozenset(("ul", "ol"))),
    "dt": (frozenset(("dt", "dd")), frozenset(("dl",))),
    "dd": (frozenset(("dt", "dd")), frozenset(("dl",))),
    "td": (frozenset(("td", "th")), frozenset(("table",))),
    "th": (frozenset(("td", "th")), frozenset(("table",))),
    "tr": (frozenset(("tr",)), frozenset(("table",))),
    "tbody": (frozenset(("tbody", "thead", "tfoot")), frozenset(("table",))),
    "thead": (frozenset(("tbody", "thead", "tfoot")), frozenset(("table",))),
    "tfoot": (frozenset(("tbody", "thead", "tfoot")), frozenset(("table",))),
    "a": (frozenset(("a",)), frozenset(("table", "td", "th"))),
}
_SCOPE = frozenset(("table", "td", "th", "caption"))

_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9:_-]{0,40}")
# Neither can be made to start over: a quote that never ends ends the search for its kind.
_INSIDE = re.compile(r"""(?:[^>"']+|"[^"]*"|'[^']*')*""")
_ATTRIBUTE = re.compile(r"""([^\s=>"'/][^\s=>"']{0,80})(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>][^\s>]*)))?""")
_EMPTY_COMMENT = re.compile(r"!---?>")
_MOST_ATTRIBUTES = 40
_LONGEST_ATTRIBUTE = 4_000
_LONGEST_IMAGE = 400_000
_LONGEST_RUN = 4_000
"""Characters of text without a tag: writing them escaped costs nh3 their number times that of their ampersands."""
ENDS = {name: re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE) for name in WITH_TEXT}

_FORWARDED = re.compile(r"-{5,}\s?Forwarded message|Begin forwarded message", re.IGNORECASE)
_QUOTE_CLASSES = frozenset(
    """gmail_quote gmail_quote_container yahoo_quoted protonmail_quote zmail_extra moz-email-headers-table
    tutanota_quote front-blockquote""".split()
)
_RULE = re.compile(r"border-top:\s?solid\s?(?:#e1e1e1|#b5c4df|#cccccc|windowtext)\s?1(?:\.0)?pt", re.IGNORECASE)

FOLD_START = '<details class="quote"><summary aria-label="Show quoted text">•••</summary>'
FOLD_END = "</details>"

Attributes = dict[str, str]


@dataclass
class Levelled:
    """HTML whose tags are balanced, and the style sheets that were in it."""

    html: str = ""
    styles: list[str] = field(default_factory=list)
    cut: bool = False

    def html_with_styles(self) -> str:
        return "".join(f"<style>{style}</style>" for style in self.styles) + self.html


def level(html: str, *, fold: bool = False) -> Levelled:
    """Balance a document's tags; with ``fold``, put what it quotes into ``<details>``."""
    reader = _Reader(html[:MOST], fold=fold)
    reader.run()
    return Levelled("".join(reader.out), reader.styles, reader.cut or len(html) > MOST)


class _Reader:
    """Reads tags and text from left to right, and writes them balanced."""

    def __init__(self, html: str, *, fold: bool) -> None:
        self.html = html
        self.at = 0
        self.out: list[str] = []
        self.styles: list[str] = []
        self.cut = False
        self._stack: list[tuple[str, int]] = []  # Name, and where in ``out`` its tag stands.
        self._dropped: dict[str, int] = {}
        self._open: Counter[str] = Counter()
        self._formatting = 0
        self._reopened = 0
        self._tags = 0
        self._endless: set[str] = set()
        self._fold = fold
        self._folding = ""  # What closes the fold: "element", "cite", "parent".
        self._fold_depth = 0
        self._fresh = False

    def run(self) -> None:
        while self.at < len(self.html) and not self.cut:
            sign = self.html.find("<", self.at)
            self._text(self.html[self.at : sign if sign >= 0 else len(self.html)])
            if sign < 0:
                break
            self.at = sign + 1
            self._markup()
        while self._stack:
            self._pop()

    def _text(self, text: str) -> None:
        if not text:
            return
        self._fresh = self._fresh or (bool(text.strip("\xa0 \r\n\t")) and text.strip() != "&nbsp;")
        text = entities.unescape(text)
        for at in range(0, len(text), _LONGEST_RUN):
            self.out.append("<wbr>" if at else "")
            self.out.append(entities.escape(text[at : at + _LONGEST_RUN], quote=False))

    def _markup(self) -> None:
        html, at = self.html, self.at
        if html.startswith("!--", at):
            # "<!-->" and "<!--->" are whole comments (HTML Standard, 13.2.5.43).
            short = _EMPTY_COMMENT.match(html, at)
            end = short.end() if short else html.find("-->", at + 3)
            self.at = end if short else end + 3 if end >= 0 else len(html)
        elif name := _NAME.match(html, at):
            self._opening(name[0].lower(), self._rest_of_tag(name.end()))
        elif html.startswith("/", at) and (name := _NAME.match(html, at + 1)):
            self._rest_of_tag(name.end())
            self._closing(name[0].lower())
        elif html.startswith(("!", "?", "/"), at):
            self._rest_of_tag(at)
        else:
            self._text("<")

    def _rest_of_tag(self, at: int) -> str:
        inside = _INSIDE.match(self.html, at)
        end = inside.end() if inside else at
        if not self.html.startswith(">", end):
            end = self.html.find(">", end)
        self.at = end + 1 if end >= 0 else len(self.html)
        return self.html[at : end if end >= 0 else at]

    def _opening(self, name: str, inside: str) -> None:
        self._tags += 1
        self.cut = self._tags > MOST_TAGS
        if name in WITH_TEXT:
            self._skip(name)
            return
        name = "div" if name == "body" else name
        if name not in TAGS or self.cut:
            return
        self._reopened += self._formatting
        self._close_implied(name)
        if self._is_too_much(name):
            if name not in VOID:
                self._dropped[name] = self._dropped.get(name, 0) + 1
            return
        attributes = _attributes(inside)
        if self._fold and not self._folding and self._fresh:
            self._maybe_fold(name, attributes)
        self._push(name, _tag(name, attributes))

    def _is_too_much(self, name: str) -> bool:
        return len(self._stack) >= DEEPEST or (name in FORMATTING and self._reopened > _MOST_REOPENED)

    def _skip(self, name: str) -> None:
        """Past an element whose content is no HTML, or none of ours. One that never ends is ignored."""
        if name in self._endless:
            return
        end = ENDS[name].search(self.html, self.at)
        if not end:
            self._endless.add(name)
            return
        inside = self.html[self.at : end.start()]
        if name == "style" and sum(map(len, self.styles)) + len(inside) <= _MOST_STYLE:
            self.styles.append(inside)
        elif name in KEEPS_TEXT:
            self._text(inside)
        self._rest_of_tag(end.end())

    def _close_implied(self, name: str) -> None:
        if name in BLOCKS:
            self._close_through(frozenset(("p",)), _SCOPE)
        if name in _IMPLIED:
            self._close_through(*_IMPLIED[name])

    def _close_through(self, names: frozenset[str], fence: frozenset[str]) -> bool:
        if not any(self._open[name] for name in names):
            return False
        for depth in range(len(self._stack) - 1, -1, -1):
            if self._stack[depth][0] in names:
                while len(self._stack) > depth:
                    self._pop()
                return True
            if self._stack[depth][0] in fence:
                return False
        return False

    def _closing(self, name: str) -> None:
        self._tags += 1
        self.cut = self._tags > MOST_TAGS
        name = "div" if name == "body" else name
        if name not in TAGS or name in VOID or name == "details":
            return
        if self._dropped.get(name):
            self._dropped[name] -= 1
            return
        fence = frozenset(("table",)) if name in TABLE else _SCOPE
        self._close_through(frozenset((name,)), fence - {name})

    def _push(self, name: str, tag: str) -> None:
        self.out.append(tag)
        if name in VOID:
            return
        self._stack.append((name, len(self.out) - 1))
        self._open[name] += 1
        self._formatting += name in FORMATTING

    def _pop(self) -> None:
        name, _ = self._stack.pop()
        self._open[name] -= 1
        self._formatting -= name in FORMATTING
        self.out.append(f"</{name}>")
        depth = len(self._stack)
        if self._folding == "parent" and depth == self._fold_depth and name == "details":
            self._folding = "done"
        elif depth == self._fold_depth + 1 and (
            self._folding == "element" or (self._folding == "cite" and name == "blockquote")
        ):
            self._folding = ""
            self._pop()

    def _maybe_fold(self, name: str, attributes: Attributes) -> None:
        """Open a fold before an element with which a quoted reply begins."""
        classes = attributes.get("class", "").lower().split()
        id_ = attributes.get("id", "").lower()
        if name == "blockquote" and (attributes.get("type") == "cite" or "gmail_quote" in classes):
            self._open_fold("element")
        elif _QUOTE_CLASSES.intersection(classes):
            if not _FORWARDED.search(self.html, self.at, self.at + 500):
                self._open_fold("element")
        elif "moz-cite-prefix" in classes:
            self._open_fold("cite")
        elif id_ in ("divrplyfwdmsg", "appendonsend", "reply-intro") or "outlookmessageheader" in classes:
            self._open_fold("parent")
        elif name == "div" and _RULE.search(attributes.get("style", "")):
            self._open_fold("parent", around_empty=True)

    def _open_fold(self, until: str, *, around_empty: bool = False) -> None:
        depth, index = len(self._stack), len(self.out)
        while around_empty and depth and self._stack[depth - 1] == ("div", index - 1):
            # Outlook puts the ruled line into a box of its own: the fold begins before the box.
            depth, index = depth - 1, index - 1
        if len(self._stack) >= DEEPEST - 1 or any(
            name in ("p", "tr", "table") for name, _ in self._stack[depth - 1 : depth]
        ):
            return
        self.out.insert(index, FOLD_START)
        self._stack.insert(depth, ("details", index))
        self._open["details"] += 1
        self._folding, self._fold_depth = until, depth


def _attributes(inside: str) -> Attributes:
    found: Attributes = {}
    for match in _ATTRIBUTE.finditer(inside):
        name = match[1].lower()
        value = next((said for said in match.groups()[1:] if said is not None), "")
        if len(value) <= (_LONGEST_IMAGE if name == "src" else _LONGEST_ATTRIBUTE):
            found.setdefault(name, entities.unescape(value))
        if len(found) >= _MOST_ATTRIBUTES:
            break
    return found


def _tag(name: str, attributes: Attributes) -> str:
    written = "".join(f' {key}="{entities.escape(value)}"' for key, value in attributes.items() if _is_name(key))
    return f"<{name}{written}>"


def _is_name(key: str) -> bool:
    return key.replace("-", "").isalnum() and key.isascii()
