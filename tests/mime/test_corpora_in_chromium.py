"""Every mail of other projects opened once in a browser: it asks nobody for anything and runs nothing (R12, R15)."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from rapport.mime.child import Parsers
from rapport.mime.html import CSP, SANDBOX, clean, document, from_text
from rapport.mime.message import ParsedMessage, Unreadable
from tests.mime.shown import opened

CORPORA = os.environ.get("RAPPORT_CORPORA")
SOURCES = sorted(path for path in Path(CORPORA).iterdir() if path.is_dir()) if CORPORA else []


@pytest.mark.long
@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_every_mail_of_a_source_is_inert(source: Path, browser: Browser) -> None:
    raws = [raw for path in sorted(source.rglob("*")) if path.is_file() and (raw := path.read_bytes())]
    with Parsers(2) as parsers:
        documents = [framed(read) for read in parsers.parse_all(raws)]

    seen = opened(browser, documents, policy=CSP, sandbox=SANDBOX)

    assert seen.opened == len(raws)
    assert seen.asked == []
    assert seen.ran == []


def framed(read: ParsedMessage | Unreadable) -> str:
    """A mail as its page shows it."""
    assert isinstance(read, ParsedMessage)
    return document(clean(read.html, inline=lambda _: None) if read.html else from_text(read.text))
