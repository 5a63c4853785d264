"""Style that can only colour, size and place what is in the mail: values are parsed, not names alone (R16).

Nothing that loads (``url()``, ``image-set()``, ``src()``, ``@import``, ``@font-face``), nothing that leaves its place
(``position``, ``transform``), no variables, no escapes. What is not known to be harmless is dropped.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import tinycss2  # type: ignore[import-untyped]  # Publishes no types.
from tinycss2.ast import Declaration, Node, QualifiedRule  # type: ignore[import-untyped]  # The same.

_LONGEST = 4_000
"""Characters of one style attribute."""
_LONGEST_SHEET = 150_000
_DEEPEST = 12
"""Brackets within brackets; the parser behind us recurses."""
_BIGGEST = 5_000
"""Of any unit: no mail needs a box of a million pixels."""

_EXACT = frozenset(
    """color background background-color background-image background-position background-size background-repeat
    width height min-width min-height max-width max-height box-sizing display float clear vertical-align overflow
    overflow-x overflow-y white-space word-break word-wrap overflow-wrap word-spacing letter-spacing line-height hyphens
    direction unicode-bidi visibility opacity table-layout border-collapse border-spacing caption-side empty-cells
    list-style list-style-type list-style-position text-align text-decoration text-decoration-color text-decoration-line
    text-decoration-style text-indent text-transform text-overflow text-shadow box-shadow outline outline-color
    outline-style outline-width tab-size object-fit gap row-gap column-gap align-items align-content align-self
    justify-content justify-items justify-self order flex flex-basis flex-direction flex-flow flex-grow flex-shrink
    flex-wrap column-count column-width quotes""".split()
)
_FAMILIES = ("margin", "padding", "border", "font")
_FUNCTIONS = frozenset(
    """rgb rgba hsl hsla calc min max clamp linear-gradient radial-gradient repeating-linear-gradient
    repeating-radial-gradient""".split()
)
_SIGNS = frozenset((",", "/", "+", "-", "*"))
_SELECTOR = re.compile(r"""[\w\s.#>+~*:,\-\[\]="'()|^$%]{1,1000}""")
_MEDIA = re.compile(r"[\w\s(),:./<=>-]{1,300}")
_LINKS = re.compile(r"\s*(?:a|span\.msohyperlink\w*)(?:[:.]\w+)?\s*", re.IGNORECASE)
_COLOURS = frozenset(("color", "background", "background-color", "background-image"))
_NOT_OWN = re.compile(
    r"(?:none|transparent|inherit|initial|unset|auto|currentcolor|window|windowtext|black|white|#000|#000000|#fff|#ffffff"
    r"|#111|#111111|#1a1a1a|#222|#222222|#212121|#333|#333333|rgb\(\s*(?:0,\s*0,\s*0|255,\s*255,\s*255|34,\s*34,\s*34)\s*\)"
    r"|#1d1c1d|#1f1f1f|#242424|#2c2c2c|repeat|scroll|0%|0|0px|\s)+",
    re.IGNORECASE,
)
"""Ink and paper as every program writes them: no choice of the sender's."""
_REMOTE = re.compile(r"https?://|(?<!:)//", re.IGNORECASE)


@dataclass(frozen=True)
class Style:
    """Style that passed, what it would have loaded, and whether it chooses colours of its own."""

    text: str = ""
    loads: int = 0
    own_colours: bool = False


@lru_cache(maxsize=2_000)
def clean_declarations(css: str, *, plain: bool = False) -> Style:
    """Filter a ``style`` attribute; with ``plain``, colours of ink and paper go as well."""
    if len(css) > _LONGEST or _depth(css) > _DEEPEST:
        return Style()
    return _declarations(tinycss2.parse_blocks_contents(css), important=False, plain=plain)


def clean_sheet(css: str, *, plain: bool = False) -> Style:
    """Filter a style sheet: its plain rules, and those for a width of screen."""
    if len(css) > _LONGEST_SHEET or _depth(css) > _DEEPEST:
        return Style()
    css = css.replace("<!--", " ").replace("-->", " ")
    return _rules(tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True), plain=plain, inside=False)


def _rules(nodes: Iterable[Node], *, plain: bool, inside: bool) -> Style:
    found: list[Style] = []
    for node in nodes:
        if node.type == "qualified-rule":
            found.append(_rule(node, plain=plain))
        elif node.type == "at-rule" and node.lower_at_keyword == "media" and node.content and not inside:
            query = tinycss2.serialize(node.prelude).strip()
            # What a mail does in the dark follows our own page, not the reader's system.
            if _MEDIA.fullmatch(query) and "prefers" not in query.lower():
                nested = tinycss2.parse_rule_list(node.content, skip_comments=True, skip_whitespace=True)
                rules = _rules(nested, plain=plain, inside=True)
                found.append(Style(f"@media {query} {{{rules.text}}}", rules.loads, rules.own_colours))
        else:
            found.append(Style(loads=len(_REMOTE.findall(node.serialize())) if node.type == "at-rule" else 0))
    return _together(found, "\n")


def _rule(rule: QualifiedRule, *, plain: bool) -> Style:
    selector = tinycss2.serialize(rule.prelude).strip()
    style = _declarations(tinycss2.parse_blocks_contents(rule.content), important=True, plain=plain)
    if not _SELECTOR.fullmatch(selector) or not style.text:
        return Style(loads=style.loads)
    # Outlook gives links a colour in every mail.
    own = style.own_colours and not all(_LINKS.fullmatch(one) for one in selector.split(","))
    return Style(f"{selector} {{{style.text}}}", style.loads, own)


def _declarations(nodes: Iterable[Node], *, important: bool, plain: bool) -> Style:
    return _together((_declaration(node, important, plain) for node in nodes if node.type == "declaration"), "; ")


def _declaration(node: Declaration, important: bool, plain: bool) -> Style:
    name = node.lower_name
    value = tinycss2.serialize(node.value).strip()
    loads = len(_REMOTE.findall(value))
    if not _is_known(name) or "\\" in value or "<" in value or not _is_harmless(node.value, name):
        return Style(loads=loads)
    own = name in _COLOURS and not _NOT_OWN.fullmatch(value)
    if plain and name in _COLOURS:
        return Style()
    return Style(f"{name}: {value}{' !important' if important and node.important else ''}", loads, own)


def _is_known(name: str) -> bool:
    # "border-image" is an image, "font-feature-settings" nothing that mail needs.
    return name in _EXACT or (name.startswith(_FAMILIES) and "image" not in name and "settings" not in name)


def _is_harmless(nodes: Iterable[Node], name: str) -> bool:
    return all(_is_harmless_node(node, name) for node in nodes)


def _is_harmless_node(node: Node, name: str) -> bool:
    if node.type in ("whitespace", "ident", "hash", "percentage", "comment"):
        return True
    if node.type in ("number", "dimension"):
        return abs(float(node.value)) <= _BIGGEST
    if node.type == "string":
        return name in ("font", "font-family", "quotes")
    if node.type == "literal":
        return node.value in _SIGNS
    if node.type == "function":
        return node.lower_name in _FUNCTIONS and _is_harmless(node.arguments, name)
    return node.type == "() block" and _is_harmless(node.content, name)


def _together(styles: Iterable[Style], between: str) -> Style:
    all_ = list(styles)
    text = between.join(style.text for style in all_ if style.text)
    return Style(text, sum(style.loads for style in all_), any(style.own_colours for style in all_))


def _depth(css: str) -> int:
    deepest = depth = 0
    for sign in re.findall(r"[(\[{}\])]", css):
        depth = depth + 1 if sign in "([{" else max(depth - 1, 0)
        deepest = max(deepest, depth)
    return deepest
