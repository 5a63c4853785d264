"""No input may raise anything but `Unreadable`, nor leave in a value what a database refuses (hazards 70, 71)."""

from dataclasses import fields

from hypothesis import given, settings
from hypothesis import strategies as st

from rapport.mime.addresses import canonical, read_addresses
from rapport.mime.dates import read_date
from rapport.mime.filenames import clean_name
from rapport.mime.html import clean, document, from_text
from rapport.mime.html_text import html_to_text
from rapport.mime.parse import attachment, parse
from rapport.mime.quotes import fold
from rapport.mime.wire import from_json, to_json

PIECES = st.sampled_from(
    """From:|To:|Subject:|Date:|References:|Content-Type: multipart/mixed; boundary=b|Content-Type: text/html|\n--b\n
    |Content-Disposition: attachment; filename*0*=|=?utf-8?B?|=?x?q?|?=|<|>|"|\\|(|)|,|;|:|\n|\r\n|\r|\n\n| |\t|\0|@|a@b.c
    |charset=utf-16|charset=utf-7|Content-Transfer-Encoding: base64|Content-Transfer-Encoding: x-uuencode|begin 6 a|QUJD
    |<div|<style>|</style>|style='a:url('|&|&#0;|&#xd800;|On 1.1.2024 a@b.c wrote:|-- |> """.split("|")
).map(str.encode)
MAILS = st.lists(PIECES | st.binary(max_size=8), max_size=30).map(b"".join)
FEW = settings(max_examples=150, deadline=None)


@FEW
@given(MAILS)
def test_any_bytes_are_read(raw: bytes) -> None:
    read = parse(raw)

    assert from_json(to_json([read])) == [read]
    for field in fields(read):
        said = repr(getattr(read, field.name)).encode()
        assert b"\\x00" not in said.replace(b"\\\\", b"")
    for file in read.attachments:
        assert len(attachment(raw, file.position)) == file.size
        assert file.name
        assert len(file.name.encode()) <= 200


@FEW
@given(st.text(max_size=200))
def test_any_text_is_safe_in_every_reader(text: str) -> None:
    for one in read_addresses(text, 10):
        assert one.address == canonical(one.address)
    assert "/" not in clean_name(text)
    read_date(text)
    document(clean(text, inline=lambda _: None))
    document(from_text(text))
    fresh, quoted = fold(text)
    assert text in (fresh + quoted, fresh + "\n" + quoted)


@FEW
@given(
    st.lists(
        st.sampled_from(
            """<p>|</p>|<td>|</TD>|<br>|<pre>|</pre>|<blockquote>|</blockquote>|<style>|</style>|<title|<!--|-->|<!-|<li>|<hr>
    |<a href="|"|'|>|<|&amp;|&#0;|&#xd800;|  |\n|word|</|<textarea>|</textarea >|<x-y:z""".split("|")
        ),
        max_size=40,
    ).map("".join)
)
def test_any_html_has_words(html: str) -> None:
    text = html_to_text(html)

    assert text == text.strip("\n")
    assert "\0" not in text
    text.encode()
