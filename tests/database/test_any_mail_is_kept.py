"""Whatever was read out of a mail can be stored: lengths, letters, dates. SQLite forgives, PostgreSQL does not."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count, islice
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rapport.mail.models import Account, Attachment, Folder, Message, Participant
from rapport.mime.message import Unreadable
from rapport.mime.parse import parse
from rapport.providers.contract import RemoteMeta
from rapport.sync import hold, intake
from rapport.sync.incoming import Arrived
from tests.world import a_folder, an_account

OWN = Path(__file__).parents[1] / "corpus"
CORPORA = os.environ.get("RAPPORT_CORPORA")
SOURCES = sorted(path for path in Path(CORPORA).iterdir() if path.is_dir()) if CORPORA else []
UIDS = count(1)
LONG = "x" * 70_000
FORGED = {
    "a From of many kilobytes": f"From: {LONG}@{LONG}.test\r\n\r\n",
    "an address as long as one may be": f"From: {'l' * 64}@{'d.' * 120}test\r\n\r\n",
    "an address longer than a contact's": f"From: {'l' * 200}@{'d.' * 50}test\r\n\r\n",
    "a name of many kilobytes": f"From: {LONG} <a@b.test>\r\nTo: {LONG} <c@d.test>\r\n\r\n",
    "a domain that grows when it is encoded": f"From: <a@{'ü' * 60}.{'ß' * 60}.{'é' * 60}.{'ñ' * 60}.test>\r\n\r\n",
    "headers of many kilobytes": "".join(
        f"{name}: {LONG}\r\n" for name in ("Subject", "Message-ID", "References", "In-Reply-To", "Date", "Content-Type")
    )
    + "\r\n",
    "a file's name and type of many kilobytes": (
        f'Content-Type: application/{LONG}; name="{LONG}.pdf"\r\nContent-ID: <{LONG}>\r\n'
        f'Content-Disposition: attachment; filename="{LONG}.pdf"\r\n\r\nx'
    ),
    "NUL everywhere": 'From: "a\0b" <c\0d@e\0.test>\r\nSubject: =?utf-8?q?a=00b?=\0\r\nMessage-ID: <a\0b@c>\r\n'
    'References: <d\0e@f>\r\nContent-Type: text/html; name="a\0b"\r\n\r\n<p>a\0b&#0;c</p>',
    "lone surrogates": "Subject: =?utf-16?b?2AA=?= =?utf-8?q?=ED=A0=80?=\r\nFrom: =?utf-7?q?+2AA-?= <a@b.test>\r\n"
    "Content-Type: text/html; charset=utf-16\r\nContent-Transfer-Encoding: base64\r\n\r\n2AA=\r\n",
    # A tsvector holds a megabyte of different words.
    "more different words than an index takes": "Content-Type: text/plain; charset=utf-8\r\n\r\n"
    + "\r\n".join(
        " ".join(chr(0x4E00 + n // 20_000) + chr(0x4E00 + n % 20_000) + "\u4e00" * 6 for n in range(start, start + 8))
        for start in range(0, 90_000, 8)
    ),
    "one word of a megabyte": f"Subject: {LONG * 15}\r\n\r\n{LONG * 15}",
    "the first day": "Date: Mon, 1 Jan 0001 00:00:00 +1400\r\n\r\n",
    "the last day": "Date: Fri, 31 Dec 9999 23:59:59 -1400\r\n\r\n",
}


@pytest.fixture
def inbox(db: None) -> Folder:
    return a_folder(an_account(create_contacts=True))


def keep(inbox: Folder, *raws: bytes) -> None:
    """Stored by the engine's own door. Bytes stay off the disk: what is kept here are rows."""
    claim = hold.take(Account.objects.get(pk=inbox.account_id))
    assert claim is not None
    batch = [_arrived(raw) for raw in raws]
    folder = Folder.objects.select_related("account").get(pk=inbox.pk)
    intake.store(folder, batch, {}, {one.meta.uid: one.meta for one in batch}, claim)
    claim.release()


def _arrived(raw: bytes) -> Arrived:
    uid = next(UIDS)
    meta = RemoteMeta(uid, frozenset({"\\Seen", "Ünüsual\t", "$Label1"}), datetime(1970, 1, 1, tzinfo=UTC), len(raw))
    try:
        return Arrived(meta, f"{uid:064x}", len(raw), parse(raw))
    except Unreadable as error:
        return Arrived(meta, f"{uid:064x}", len(raw), None, str(error))


@pytest.mark.parametrize("header", FORGED.values(), ids=FORGED)
def test_a_forged_mail_is_kept(inbox: Folder, header: str) -> None:
    keep(inbox, header.encode(), header.encode("latin-1", "replace"))

    assert Message.objects.count() == 2


def test_everything_in_our_corpus_is_kept(inbox: Folder) -> None:
    raws = [path.read_bytes() for path in sorted(OWN.glob("*.eml"))]

    keep(inbox, *raws)

    assert Message.objects.count() == len(raws) > 0
    assert Participant.objects.exists()
    assert Attachment.objects.exists()


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_everything_in_other_projects_corpora_is_kept(inbox: Folder, source: Path) -> None:
    expected = 0
    for batch in _batches(source):
        keep(inbox, *batch)
        expected += len(batch)

    assert Message.objects.count() == expected


def _batches(source: Path) -> Iterator[list[bytes]]:
    mails = (path.read_bytes() for path in sorted(source.rglob("*")) if path.is_file() and path.stat().st_size < 2**20)
    while batch := list(islice(mails, 100)):
        yield batch


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["From", "To", "Subject", "Message-ID", "References", "Content-Type", "Date"]),
            st.binary(max_size=400),
        ),
        max_size=6,
    ),
    st.binary(max_size=300),
)
def test_anything_at_all_is_kept(inbox: Folder, headers: list[tuple[str, bytes]], body: bytes) -> None:
    raw = b"".join(name.encode() + b": " + value + b"\r\n" for name, value in headers) + b"\r\n" + body
    before = Message.objects.count()

    keep(inbox, raw)

    assert Message.objects.count() == before + 1
