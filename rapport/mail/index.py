"""The full-text index: which emails hold which words. FTS5 on SQLite, a tsvector with GIN on PostgreSQL.

What goes in is ``Body.head`` (subject, people, names of files) and ``Body.text``. The newest come first, never the
best ranked: that is what people look for, and what stays quick among a million (docs/reference/proofs.md).
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence

from django.db import connection

AT_ONCE = 500
_WORD = re.compile(r"\w+")
MOST = 150_000
"""Characters of one email that are indexed. PostgreSQL takes a tsvector of 1 MB, also where every word is another one
and every letter four octets long."""
HEAD = 50_000
"""Characters of subject, people and names of files: they count towards the same megabyte."""


def add(emails: Iterable[tuple[int, str, str]]) -> None:
    """Index emails: key, head, text. Their bodies stand in the database already, and are indexed once."""
    rows = [(pk, head[:HEAD], text[:MOST]) for pk, head, text in emails]
    if not rows:
        return
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.executemany("INSERT INTO mail_words (rowid, head, text) VALUES (%s, %s, %s)", rows)
        else:
            cursor.executemany(
                "INSERT INTO mail_words (message_id, words) "
                "VALUES (%s, setweight(to_tsvector('simple', %s), 'A') || to_tsvector('simple', %s))",
                [(pk, _words(head), _words(text)) for pk, head, text in rows],
            )


def remove(emails: Iterable[int]) -> None:
    """Take emails out again, before their bodies change or go."""
    keys = list(emails)
    for start in range(0, len(keys), AT_ONCE):
        _remove(keys[start : start + AT_ONCE])


def find(words: str, *, limit: int = 50) -> list[int]:
    """Keys of the emails that hold all these words, the last as a beginning; the newest arrivals first.

    Anything may be typed: only its words count.
    """
    typed = _words(words).split()
    if not typed:
        return []
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            asked = " ".join(f'"{word}"' for word in typed) + "*"
            cursor.execute(
                "SELECT rowid FROM mail_words WHERE mail_words MATCH %s ORDER BY rowid DESC LIMIT %s", [asked, limit]
            )
        else:
            asked = " & ".join(f"'{word}'" for word in typed) + ":*"
            cursor.execute(
                "SELECT message_id FROM mail_words WHERE words @@ to_tsquery('simple', %s) "
                "ORDER BY message_id DESC LIMIT %s",
                [asked, limit],
            )
        return [key for (key,) in cursor.fetchall()]


def _words(text: str) -> str:
    """Only the words, without accents: as FTS5 splits a text. PostgreSQL would keep an address as one word."""
    bare = "".join(letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))
    return " ".join(_WORD.findall(bare.replace("_", " ")))


def _remove(keys: Sequence[int]) -> None:
    marks = ", ".join(["%s"] * len(keys))
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            # An external-content index forgets a row only when it is told what the row held (sqlite.org/fts5.html, 4.4.3).
            cursor.execute(
                "INSERT INTO mail_words (mail_words, rowid, head, text) "  # noqa: S608  # only marks are put together
                f"SELECT 'delete', message_id, substr(head, 1, {HEAD}), substr(text, 1, {MOST}) "
                f"FROM mail_body WHERE message_id IN ({marks})",
                keys,
            )
        else:
            cursor.execute(f"DELETE FROM mail_words WHERE message_id IN ({marks})", keys)  # noqa: S608  # as above
