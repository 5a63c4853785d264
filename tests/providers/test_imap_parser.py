"""From bytes to responses: a table of what servers send, and the promise that nothing else comes out."""

import itertools
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rapport.providers.imap import responses as r
from rapport.providers.imap.lexer import LINE_LIMIT, Lexer, MessageTooLarge, ProtocolError
from rapport.providers.imap.parser import parse
from rapport.providers.uids import UidSet


def read(*reads: bytes, limit: int = 1_000_000) -> list[r.Response]:
    lexer = Lexer(message_limit=limit)
    found = []
    for data in reads:
        lexer.feed(data)
        while (line := lexer.line()) is not None:
            found.append(parse(line))
    return found


def status(tag: str, kind: str, text: str = "", code: str = "", rest: str = "") -> r.Status:
    return r.Status(tag, kind, r.Code(code, rest), text)


WIRE = [
    (b"* OK ready", status("", "OK", "ready")),
    (b"* OK [CAPABILITY IMAP4rev1 ID] hi", status("", "OK", "hi", "CAPABILITY", "IMAP4rev1 ID")),
    (b"* OK say {5}", status("", "OK", "say {5}")),
    (b"A1 no [authenticationfailed] Wrong", status("A1", "NO", "Wrong", "AUTHENTICATIONFAILED")),
    (b"A1 OK", status("A1", "OK")),
    (b"* BYE", status("", "BYE")),
    (b"* OK [UNSEEN 3", status("", "OK", "", "UNSEEN", "3")),
    (b"+ idling", r.Continuation("idling")),
    (b"+", r.Continuation("")),
    (b"* CAPABILITY IMAP4rev1 auth=plain", r.Capability(frozenset({"IMAP4REV1", "AUTH=PLAIN"}))),
    (b"* ENABLED CONDSTORE", r.Enabled(frozenset({"CONDSTORE"}))),
    (b"* 23 EXISTS", r.Exists(23)),
    (b"* 4 expunge", r.Expunged(4)),
    (b"* 1 RECENT", r.Other("RECENT")),
    (b"* X-WHATEVER (", r.Other("X-WHATEVER")),
    (b"* SEARCH", r.Found(UidSet())),
    (b"* SEARCH 3 1 2 ", r.Found(UidSet.of([1, 2, 3]))),
    (b"* SEARCH 7 (MODSEQ 99)", r.Found(UidSet.of([7]))),
    (b"* SEARCH 0 99999999999", r.Found(UidSet())),
    (b"* VANISHED (EARLIER) 1:3,7", r.Vanished(UidSet.of([1, 2, 3, 7]), earlier=True)),
    (b"* VANISHED 5", r.Vanished(UidSet.of([5]), earlier=False)),
    (b"* VANISHED (EARLIER)", r.Other("VANISHED")),
    (b"* VANISHED 1:*", r.Other("VANISHED")),
    (b'* ESEARCH (TAG "A4") UID ALL 1:3,7', r.Found(UidSet.of([1, 2, 3, 7]))),
    (b'* ESEARCH (TAG "A4") UID COUNT 2 ALL 5:6', r.Found(UidSet.of([5, 6]))),
    (b'* ESEARCH (TAG "A4") UID', r.Found(UidSet())),
    (b'* ESEARCH (TAG "A4") UID COUNT 0', r.Found(UidSet())),
    (b'* ESEARCH (TAG "A4") UID COUNT 5', r.Other("ESEARCH")),
    (b'* ESEARCH (TAG "A4") ALL 1:3', r.Other("ESEARCH")),
    (b'* ESEARCH (TAG "A4") UID ALL 1:*', r.Other("ESEARCH")),
    (b'* LIST (\\HasNoChildren \\SENT) "/" Sent', r.Listed(frozenset({"\\hasnochildren", "\\sent"}), "/", b"Sent")),
    (b'* LIST () NIL "a \\"b\\" \\\\c"', r.Listed(frozenset(), "", b'a "b" \\c')),
    (b'* LIST () "." {7}\r\na\xffb {3}', r.Listed(frozenset(), ".", b"a\xffb {3}")),
    (b'* LIST () "\\\\" nil', r.Listed(frozenset(), "\\", b"NIL")),
    (b'* STATUS "a b" (MESSAGES 3 UIDNEXT 9 X NIL)', r.StatusOf(b"a b", {"MESSAGES": 3, "UIDNEXT": 9})),
    (b"* STATUS INBOX", r.StatusOf(b"INBOX", {})),
    (
        b'* NAMESPACE (("" "/")("x." ".")) NIL (("Shared/" "/" "TRANSLATION" ("y")))',
        r.Namespaces((b"", b"x."), (b"Shared/",)),
    ),
    (b"* 1 FETCH (UID 7 FLAGS (\\Seen \\Recent $x))", r.Fetched(1, 7, frozenset({"\\Seen", "$x"}))),
    (b"* 1 FETCH (FLAGS ())", r.Fetched(1, None, frozenset())),
    (b"* 1 FETCH (UID 7 BODY[] {3}\r\na\r\n FLAGS (\\Seen))", r.Fetched(1, 7, frozenset({"\\Seen"}), body=b"a\r\n")),
    (b"* 1 FETCH (UID 7 BODY[] ~{3}\r\na\0b)", r.Fetched(1, 7, body=b"a\0b")),
    (
        b'* 1 FETCH (ENVELOPE ("x" "a "quoted" word" NIL ((NIL NIL "ana" "example.test"))) UID 7 FLAGS (\\Seen))',
        r.Fetched(1, 7, frozenset({"\\Seen"})),
    ),
    (b"* 1 FETCH (UID 7 BODY[] {0}\r\n)", r.Fetched(1, 7, body=b"")),
    (b"* 1 FETCH (UID 7 BODY[] NIL)", r.Fetched(1, 7)),
    (b'* 1 FETCH (RFC822 "x" UID 7 MODSEQ (12))', r.Fetched(1, 7, modseq=12, body=b"x")),
    (b"* 1 FETCH (UID 7 RFC822.SIZE NIL ENVELOPE (NIL NIL))", r.Fetched(1, 7)),
    (
        b'* 1 FETCH (INTERNALDATE " 1-Feb-2024 03:04:05 -0130" UID 2)',
        r.Fetched(1, 2, date=datetime(2024, 2, 1, 3, 4, 5, tzinfo=timezone(-timedelta(hours=1, minutes=30)))),
    ),
    (
        b'* 1 FETCH (UID 2 INTERNALDATE "1-feb-2024 3:04:05 +0000")',
        r.Fetched(1, 2, date=datetime(2024, 2, 1, 3, 4, 5, tzinfo=UTC)),
    ),
    (b'* 1 FETCH (UID 2 INTERNALDATE "31-Feb-2024 03:04:05 +0000")', r.Fetched(1, 2)),
    (b'* 1 FETCH (UID 2 BODY[HEADER.FIELDS (DATE "X")] {2}\r\n\r\n)', r.Fetched(1, 2, head=b"\r\n")),
    (
        b'* 1 FETCH (UID 2 FLAGS (\\Seen \\Recent) INTERNALDATE "01-Feb-2024 03:04:05 +0000" RFC822.SIZE 9)',
        r.Fetched(1, 2, frozenset({"\\Seen"}), datetime(2024, 2, 1, 3, 4, 5, tzinfo=UTC), 9),
    ),
    (
        b'* 1 FETCH (UID 0 FLAGS () INTERNALDATE "99-Feb-2024 03:04:05 +0000" RFC822.SIZE 9)',
        r.Fetched(1, None, frozenset(), None, 9),
    ),
    (b"* 1 FETCH (UID 99999999999 FLAGS ())", r.Fetched(1, None, frozenset())),
]
STREAM = b"".join(wire + b"\r\n" for wire, _ in WIRE)
ALL = [response for _, response in WIRE]


@pytest.mark.parametrize(("wire", "response"), WIRE)
def test_a_line_is_read_as_what_it_means(wire: bytes, response: r.Response) -> None:
    """Hazards 26, 28, 53 (literal8), 54 and 55: what servers send, right or not."""
    assert read(wire + b"\r\n") == [response]


@given(st.lists(st.integers(0, len(STREAM)), max_size=40))
@settings(max_examples=100, deadline=None)
def test_how_the_bytes_were_cut_never_matters(cuts: list[int]) -> None:
    edges = sorted({0, *cuts, len(STREAM)})

    assert read(*(STREAM[low:high] for low, high in itertools.pairwise(edges))) == ALL


def test_even_byte_by_byte() -> None:
    assert read(*(STREAM[at : at + 1] for at in range(len(STREAM)))) == ALL


PIECES = st.sampled_from([
    b"* ", b"A1 ", b"FETCH (", b"1 ", b"UID ", b"OK ", b"[", b"]", b"(", b")", b'"', b"\\", b"{3}\r\n", b"{99}\r\n",
    b"\r\n", b"\n", b"BODY[] ", b"NIL ", b"FLAGS ", b"LIST ", b"SEARCH ", b"STATUS ", b"VANISHED ", b"+ ", b"\0\xff",
    b"INTERNALDATE ", b"1-Jan-2024 99:99:99 +9999", b"NAMESPACE ", b"CAPABILITY ", b"{99999999999999}\r\n", b"1:", b",",
])  # fmt: skip


@given(st.one_of(st.lists(PIECES, max_size=30).map(b"".join), st.binary(max_size=200)))
@settings(max_examples=400, deadline=None)
def test_whatever_comes_only_a_protocol_error_comes_out(data: bytes) -> None:
    lexer = Lexer(message_limit=1000)
    lexer.feed(data + b"\r\n")
    try:
        while (line := lexer.line()) is not None:
            parse(line)
    except ProtocolError:
        pass


@pytest.mark.parametrize(
    "data",
    [
        b"* " + b"x" * LINE_LIMIT,
        b"* LIST () NIL {2000000000}\r\n",
        b"* 1 FETCH (X {600000}\r\n" + b"y" * 600_000 + b" Z {600000}\r\n",
        b"* 1 FETCH " + b"(" * 60 + b"\r\n",
        b"* 1 FETCH (" + b"a " * 250_000 + b")\r\n",
        b"* 1 FETCH (" + b"X {0}\r\n" * 2000,
        b"* 1 FETCH (UID 7\r\n",
        b"HTTP/1.1 200 OK\r\n",
    ],
)
def test_what_is_beyond_bounds_is_refused(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        read(data)


def test_a_message_too_large_is_refused_by_its_announcement() -> None:
    with pytest.raises(MessageTooLarge) as failure:
        read(b"* 1 FETCH (UID 7 BODY[] {1001}\r\n", limit=1000)

    assert (failure.value.uid, failure.value.size) == (7, 1001)


def test_a_message_nobody_asked_for_is_no_message() -> None:
    with pytest.raises(ProtocolError):
        read(b"* 1 FETCH (UID 7 BODY[] {1000001}\r\n", limit=0)
