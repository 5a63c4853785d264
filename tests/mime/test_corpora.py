"""Other projects' mails, where there are any: none stops us. ``RAPPORT_CORPORA`` names the folder; without it no cases."""

import os
import re
import time
from pathlib import Path

import pytest

from rapport.mime.child import Parsers
from rapport.mime.html import clean, document
from rapport.mime.message import Unreadable

CORPORA = os.environ.get("RAPPORT_CORPORA")
SOURCES = sorted(path for path in Path(CORPORA).iterdir() if path.is_dir()) if CORPORA else []

LOADS = re.compile(r"""<[a-z][^<>]*\s(?:style="[^"]*url\(|src="(?!data:image/))""", re.IGNORECASE)


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_every_file_of_a_source_is_read(source: Path) -> None:
    files = [path for path in sorted(source.rglob("*")) if path.is_file()]
    started = time.monotonic()

    with Parsers(2) as parsers:
        failed = [
            (path.name, str(read))
            for path, read in zip(files, parsers.parse_all(path.read_bytes() for path in files), strict=True)
            if isinstance(read, Unreadable)
        ]

    assert failed == []
    assert time.monotonic() - started < 30


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_every_page_of_a_source_is_cleaned(source: Path) -> None:
    for path in source.rglob("*.html"):
        html = path.read_text(encoding="utf-8", errors="replace")
        once = clean(html, inline=lambda _: None)

        assert not LOADS.search(once.html)
        assert "url(" not in once.css.lower()
        assert "<script" not in document(once)
