"""The model server is faithful: the same words to it and to a real Dovecot bring the same answers."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tests.proving.dialogues import Play
from tests.servers.dovecot import Dovecot
from tests.servers.model import Model

WHEN = datetime(2024, 3, 9, 12, 30, tzinfo=UTC)
LETTERS = [
    f"From: {sender}@world.test\r\nTo: sales@world.test\r\nSubject: {subject}\r\nX-Long: a\r\n b\r\n\r\n{text}\r\n".encode()
    for sender, subject, text in (
        ("ana", "first", "one"), ("ben", "second letter", "two" * 50), ("cleo", "third", "three"), ("ana", "fourth", ""),
    )
]  # fmt: skip

DIALOGUES = {
    "select": "A: SELECT INBOX",
    "examine": "A: EXAMINE INBOX\nA: UID FETCH 1 (BODY[])\nA: UID SEARCH SEEN",
    "select nowhere": "A: SELECT INBOX\nA: SELECT Nowhere\nA: UID FETCH 1 (FLAGS)",
    "select any case": "A: SELECT inbox\nA: STATUS InBoX (MESSAGES)",
    "select again": "A: SELECT INBOX (CONDSTORE)\nA: SELECT Sent",
    "unselect": "A: SELECT INBOX\nA: UNSELECT\nA: UID SEARCH ALL",
    "status": "A: STATUS INBOX (MESSAGES UIDNEXT UIDVALIDITY UNSEEN HIGHESTMODSEQ)",
    "status nowhere": "A: STATUS Nowhere (MESSAGES)",
    "list": 'A: LIST "" "*"\nA: LIST "" "%"\nA: LIST "" INBOX\nA: LIST "" Nowhere\nA: LIST "" ""',
    "list below": 'A: CREATE a/b/c\nA: CREATE a\nA: LIST "" "a/*"\nA: LIST "" "a/%"\nA: LIST "a/" "%"',
    "list status": 'A: LIST "" "*" RETURN (SPECIAL-USE STATUS (MESSAGES UIDNEXT UIDVALIDITY HIGHESTMODSEQ))',
    "list special use": 'A: LIST (SPECIAL-USE) "" "*"',
    "namespace": "A: NAMESPACE",
    "enable": "A: ENABLE CONDSTORE\nA: ENABLE QRESYNC\nA: ENABLE NONSENSE",
    "fetch": "A: SELECT INBOX\nA: UID FETCH 1:* (FLAGS INTERNALDATE RFC822.SIZE)\nA: FETCH 2:3 (UID FLAGS)\nA: FETCH 1 FAST",
    "fetch bodies": "A: SELECT INBOX\nA: UID FETCH 1,3 (UID BODY.PEEK[])\nA: UID FETCH 1:4 (FLAGS)",
    "fetch marks read": "A: SELECT INBOX\nA: UID FETCH 2 (BODY[])\nA: UID SEARCH SEEN",
    "fetch parts": "A: SELECT INBOX\nA: UID FETCH 2 (BODY.PEEK[HEADER])\nA: UID FETCH 2 (BODY.PEEK[TEXT])\n"
    "A: UID FETCH 2 (BODY.PEEK[HEADER.FIELDS (SUBJECT FROM)])\nA: UID FETCH 2 (BODY.PEEK[]<10.20>)",
    "fetch what is not": "A: SELECT INBOX\nA: UID FETCH 99 (FLAGS)\nA: UID FETCH 50:60 (FLAGS)\nA: UID FETCH 50:* (FLAGS)",
    "fetch nonsense": "A: SELECT INBOX\nA: UID FETCH x (FLAGS)\nA: UID FETCH 1 (NONSENSE)\nA: FETCH 99 (FLAGS)",
    "changed since": "A: SELECT INBOX (CONDSTORE)\nA: UID STORE 3 +FLAGS (\\\\Seen)\n"
    "A: UID FETCH 1:4 (UID FLAGS) (CHANGEDSINCE {modseq})\nA: UID FETCH 1:4 (UID FLAGS) (CHANGEDSINCE 1)",
    "modseq": "A: SELECT INBOX (CONDSTORE)\nA: UID FETCH 1:2 (FLAGS MODSEQ)\nA: UID SEARCH MODSEQ 1",
    "search": "A: SELECT INBOX\nA: UID SEARCH ALL\nA: SEARCH ALL\nA: UID SEARCH UID 2:3\nA: UID SEARCH 2:3\n"
    "A: UID SEARCH UID 9:12\nA: UID SEARCH UID 9:*\nA: UID SEARCH NOT UID 1",
    "search content": "A: SELECT INBOX\nA: UID SEARCH FROM ana\nA: UID SEARCH SUBJECT second\nA: UID SEARCH LARGER 200\n"
    'A: UID SEARCH OR FROM ben FROM cleo\nA: UID SEARCH HEADER X-Long ""\nA: UID SEARCH HEADER X-Long b',
    "search dates": "A: SELECT INBOX\nA: UID SEARCH SINCE 9-Mar-2024\nA: UID SEARCH SINCE 10-Mar-2024\n"
    "A: UID SEARCH BEFORE 9-Mar-2024\nA: UID SEARCH ON 9-Mar-2024",
    "search flags": "A: SELECT INBOX\nA: UID STORE 2:3 +FLAGS (\\\\Seen $Label)\nA: UID SEARCH SEEN\nA: UID SEARCH UNSEEN\n"
    "A: UID SEARCH KEYWORD $Label\nA: UID SEARCH UNKEYWORD $Label UNDELETED",
    "search extended": "A: SELECT INBOX\nA: UID SEARCH RETURN (ALL) ALL\nA: UID SEARCH RETURN (MIN MAX COUNT) UID 2:3\n"
    "A: UID SEARCH RETURN () SEEN\nA: SEARCH RETURN (ALL COUNT) UNSEEN",
    "search nonsense": "A: SELECT INBOX\nA: UID SEARCH NONSENSE\nA: UID SEARCH",
    "store": "A: SELECT INBOX\nA: UID STORE 1 +FLAGS (\\\\Flagged)\nA: UID STORE 1:2 FLAGS (\\\\Seen)\n"
    "A: UID STORE 2 -FLAGS (\\\\Seen)\nA: STORE 3 +FLAGS.SILENT (\\\\Seen)\nA: UID FETCH 1:* (FLAGS)",
    "store with mod-sequences": "A: SELECT INBOX (CONDSTORE)\nA: UID STORE 1 +FLAGS.SILENT (\\\\Flagged)\nA: UID STORE 9 +FLAGS (\\\\Seen)",
    "append": 'A: SELECT INBOX\nA: APPEND INBOX (\\\\Seen) " 1-Feb-2024 10:00:00 +0100" {12+}\\r\\nSubject: x\\r\\n\n'
    "A: UID FETCH 5 (FLAGS INTERNALDATE BODY.PEEK[])\nA: APPEND Nowhere {3+}\\r\\nabc",
    "append several": "A: APPEND Sent {3+}\\r\\nabc (\\\\Seen) {3+}\\r\\ndef\nA: STATUS Sent (MESSAGES UIDNEXT UNSEEN)",
    "copy": "A: SELECT INBOX\nA: UID COPY 2:3 Sent\nA: UID COPY 1 Nowhere\nA: UID COPY 77 Sent\nA: STATUS Sent (MESSAGES UIDNEXT)",
    "move": "A: SELECT INBOX\nA: UID MOVE 1,3 Archive\nA: UID SEARCH ALL\nA: UID MOVE 2 Nowhere\nA: STATUS Archive (MESSAGES)",
    "expunge": "A: SELECT INBOX\nA: UID STORE 2:3 +FLAGS.SILENT (\\\\Deleted)\nA: UID EXPUNGE 3\nA: UID SEARCH ALL\nA: EXPUNGE\n"
    "A: UID SEARCH ALL",
    "close expunges": "A: SELECT INBOX\nA: UID STORE 2 +FLAGS.SILENT (\\\\Deleted)\nA: CLOSE\nA: STATUS INBOX (MESSAGES)",
    "create, rename, delete": 'A: CREATE Work\nA: CREATE Work\nA: RENAME Work Play\nA: RENAME Work Play\nA: LIST "" "P*"\n'
    "A: DELETE Play\nA: DELETE Play\nA: CREATE INBOX",
    "names": 'A: CREATE "a &AOk- b"\nA: CREATE "with \\\\"quotes\\\\""\nA: LIST "" "*"',
    "news of another client": "A: SELECT INBOX\nB: SELECT INBOX\nB: UID STORE 2 +FLAGS (\\\\Seen)\nA: NOOP\n"
    "B: APPEND INBOX {3+}\\r\\nabc\nA: NOOP\nB: UID STORE 1,4 +FLAGS.SILENT (\\\\Deleted)\nB: EXPUNGE\nA: NOOP\nA: UID SEARCH ALL",
    "news with mod-sequences": "A: SELECT INBOX (CONDSTORE)\nB: SELECT INBOX\nB: UID STORE 2 +FLAGS (\\\\Seen)\nA: NOOP",
    "numbers stay during a fetch": "A: SELECT INBOX\nB: SELECT INBOX\nB: UID STORE 2 +FLAGS.SILENT (\\\\Deleted)\nA: NOOP\nB: EXPUNGE\n"
    "A: FETCH 3 (UID)\nA: SEARCH UID 3\nA: NOOP\nA: FETCH 3 (UID)",
    "vanished": "A: ENABLE QRESYNC\nA: SELECT INBOX\nB: SELECT INBOX\nB: UID STORE 2:3 +FLAGS.SILENT (\\\\Deleted)\nB: EXPUNGE\nA: NOOP",
    "resynchronise": "A: ENABLE QRESYNC\nA: SELECT INBOX\nA: UNSELECT\nB: SELECT INBOX\nB: UID STORE 2 +FLAGS.SILENT (\\\\Deleted)\n"
    "B: EXPUNGE\nB: UID STORE 1 +FLAGS (\\\\Seen)\nB: APPEND INBOX {3+}\\r\\nabc\nA: SELECT INBOX (QRESYNC ({validity} {modseq} 1:4))",
    "resynchronise what was rebuilt": "A: ENABLE QRESYNC\nA: SELECT INBOX\nA: UNSELECT\nA: SELECT INBOX (QRESYNC (7 {modseq} 1:4))",
    "resynchronise without asking": "A: SELECT INBOX (QRESYNC (7 1))\nA: UID FETCH 1:4 (FLAGS) (CHANGEDSINCE 1 VANISHED)",
    "fetch vanished": "A: ENABLE QRESYNC\nA: SELECT INBOX\nB: SELECT INBOX\nB: UID STORE 2,4 +FLAGS.SILENT (\\\\Deleted)\nB: EXPUNGE\n"
    "A: NOOP\nA: UID FETCH 1:4 (UID FLAGS) (CHANGEDSINCE {modseq} VANISHED)\nA: UID FETCH 1:2 (UID FLAGS) (CHANGEDSINCE {modseq} VANISHED)",
    "nothing before a folder": "A: UID FETCH 1 (FLAGS)\nA: EXPUNGE\nA: NONSENSE",
    "good-bye": "A: LOGOUT",
}  # fmt: skip


@pytest.fixture(scope="module")
def real() -> Iterator[Dovecot]:
    with Dovecot() as server:
        yield server


@pytest.mark.parametrize("name", DIALOGUES)
def test_the_model_answers_as_dovecot_does(name: str, real: Dovecot) -> None:
    user = real.new_user()
    real.deliver(user, LETTERS, when=WHEN.timestamp())
    with Model() as model:
        for raw in LETTERS:
            model.truth.append(raw, when=WHEN)

        ours = Play(model.host, model.port, model.user).run(DIALOGUES[name])
        theirs = Play(real.host, real.port, user).run(DIALOGUES[name])

    assert ours == theirs
