"""ONE suite for every Provider: what the engine relies on, whatever server there is behind it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

import pytest

from rapport import net
from rapport.providers.contract import Endpoint, Login, Provider, RemoteMessage, Role, Security, Sweep
from rapport.providers.errors import Refused, StartOver
from rapport.providers.imap import sign_in
from rapport.providers.memory import Server
from rapport.providers.uids import UidSet
from tests.servers.dovecot import PROFILES, Dovecot


class Behind(Protocol):
    """What a test does to the server behind the client's back."""

    def append(self, *raws: bytes, folder: str = "INBOX", when: datetime | None = None) -> None: ...
    def flag(self, uid: int, flag: str) -> None: ...
    def expunge(self, *uids: int) -> None: ...
    def rebuild(self) -> None: ...
    def create(self, folder: str) -> None: ...


@dataclass
class InMemory:
    server: Server

    def append(self, *raws: bytes, folder: str = "INBOX", when: datetime | None = None) -> None:
        for raw in raws:
            self.server.append(raw, folder.encode(), when=when)

    def flag(self, uid: int, flag: str) -> None:
        self.server.set_flags(uid, self.server.folders[b"INBOX"].messages[uid].flags | {flag})

    def expunge(self, *uids: int) -> None:
        self.server.expunge(*uids)

    def rebuild(self) -> None:
        self.server.rebuild()

    def create(self, folder: str) -> None:
        self.server.create(folder.encode())


@dataclass
class OnDovecot:
    server: Dovecot
    user: str

    def append(self, *raws: bytes, folder: str = "INBOX", when: datetime | None = None) -> None:
        self.server.deliver(self.user, raws, folder, when=when.timestamp() if when else None)

    def flag(self, uid: int, flag: str) -> None:
        self.server.flag(self.user, uid, flag)

    def expunge(self, *uids: int) -> None:
        self.server.expunge(self.user, uids)

    def rebuild(self) -> None:
        self.server.set_uidvalidity(self.user, self.server.uidvalidity(self.user) + 1)

    def create(self, folder: str) -> None:
        self.server.create(self.user, folder)


@dataclass
class Side:
    behind: Behind
    provider: Provider


@pytest.fixture(scope="module")
def servers() -> Iterator[Callable[[str, str], Dovecot]]:
    running: dict[tuple[str, str], Dovecot] = {}

    def get(profile: str, storage: str) -> Dovecot:
        if (profile, storage) not in running:
            running[profile, storage] = Dovecot(profile, storage=storage)
            running[profile, storage].start()
        return running[profile, storage]

    yield get
    for server in running.values():
        server.stop()


KINDS = [f"{storage} {profile}" for storage in ("maildir", "mdbox") for profile in PROFILES]


@pytest.fixture(params=["memory", "memory without mod-sequences", *KINDS])
def side(request: pytest.FixtureRequest, servers: Callable[[str, str], Dovecot]) -> Iterator[Side]:
    if request.param.startswith("memory"):
        memory = Server()
        memory.mod_sequences = memory.states_in_list = request.param == "memory"
        for name, role in {"Drafts": Role.DRAFTS, "Sent": Role.SENT, "Trash": Role.TRASH, "Junk": Role.SPAM}.items():
            memory.create(name.encode(), role)
        memory.create(b"Archive", Role.ARCHIVE)
        yield Side(InMemory(memory), memory.sign_in())
        return
    storage, profile = request.param.split()
    server = servers(profile, storage)
    user = server.new_user()
    policy = net.Policy.allowing((server.host, server.port))
    endpoint = Endpoint(server.host, server.port, Security.NONE)
    mailbox = sign_in(endpoint, Login(user, "secret"), policy=policy, timeout=10)
    yield Side(OnDovecot(server, user), mailbox)
    mailbox.close()


def mail(number: int, text: str = "hello") -> bytes:
    return f"From: ana@example.test\r\nSubject: {number}\r\n\r\n{text}\r\n".encode()


def test_every_folder_has_the_role_its_name_or_the_server_says(side: Side) -> None:
    """Hazard 38."""
    side.behind.create("Projects")

    folders = {folder.name: folder for folder in side.provider.folders()}

    roles = {name: folder.role for name, folder in folders.items()}
    assert roles == {
        "INBOX": Role.INBOX, "Drafts": Role.DRAFTS, "Sent": Role.SENT, "Trash": Role.TRASH, "Junk": Role.SPAM,
        "Archive": Role.ARCHIVE, "Projects": Role.NONE,
    }  # fmt: skip
    assert all(folder.selectable and folder.delimiter == "/" for folder in folders.values())


def test_a_first_look_finds_everything(side: Side) -> None:
    side.behind.append(*(mail(number) for number in range(5)))

    look = side.provider.look(b"INBOX", None, UidSet())

    assert (str(look.arrived), look.exists, look.vanished, look.flags) == ("1:5", 5, UidSet(), {})
    assert look.bookmark.uidnext == 6
    assert look.bookmark.uidvalidity


def test_a_look_at_nothing_new_finds_nothing(side: Side) -> None:
    side.behind.append(mail(1), mail(2))
    first = side.provider.look(b"INBOX", None, UidSet())

    again = side.provider.look(b"INBOX", first.bookmark, first.arrived)

    assert (again.arrived, again.vanished, again.bookmark) == (UidSet(), UidSet(), first.bookmark)
    assert set(again.flags.values()) <= {frozenset()}


def test_a_look_finds_what_arrived_what_vanished_and_what_changed(side: Side) -> None:
    side.behind.append(*(mail(number) for number in range(6)))
    first = side.provider.look(b"INBOX", None, UidSet())
    side.behind.flag(2, "\\Seen")
    side.behind.expunge(3, 4)
    side.behind.append(mail(7))

    look = side.provider.look(b"INBOX", first.bookmark, first.arrived)

    assert (str(look.arrived), str(look.vanished), look.exists) == ("7", "3:4", 5)
    assert look.flags[2] == {"\\Seen"}
    assert all(not flags for uid, flags in look.flags.items() if uid != 2)
    assert look.bookmark.uidnext == 8


def test_looks_that_ask_for_what_is_due_find_the_same(side: Side) -> None:
    """Given the sweep of the look before, as the engine does; with mod-sequences nothing needs it."""
    side.behind.append(*(mail(number) for number in range(6)))
    first = side.provider.look(b"INBOX", None, UidSet(), Sweep())
    side.behind.flag(2, "\\Seen")
    side.behind.expunge(3)

    look = side.provider.look(b"INBOX", first.bookmark, first.arrived, first.sweep)
    side.behind.flag(4, "\\Flagged")
    again = side.provider.look(b"INBOX", look.bookmark, first.arrived - look.vanished, look.sweep)

    assert look.flags[2] == {"\\Seen"}
    assert str(look.vanished) == "3"
    assert again.flags[4] == {"\\Flagged"}
    assert again.bookmark.doubts == 0


def test_states_say_what_a_look_says(side: Side) -> None:
    """Of the folders that are there, but for the one that is open now."""
    side.behind.append(mail(1), mail(2))
    look = side.provider.look(b"INBOX", None, UidSet())
    side.provider.look(b"Sent", None, UidSet())

    states = side.provider.states([b"INBOX", b"Nowhere"])

    assert set(states) == {b"INBOX"}
    state, bookmark = states[b"INBOX"], look.bookmark
    assert (state.exists, state.uidnext, state.uidvalidity) == (2, bookmark.uidnext, bookmark.uidvalidity)
    assert (state.modseq or 0) == bookmark.modseq


def test_a_message_expunged_and_another_arrived_are_not_mistaken_for_nothing(side: Side) -> None:
    side.behind.append(mail(1), mail(2))
    first = side.provider.look(b"INBOX", None, UidSet())
    side.behind.append(mail(3))
    side.behind.expunge(1)

    look = side.provider.look(b"INBOX", first.bookmark, first.arrived)

    assert (str(look.arrived), str(look.vanished), look.exists) == ("3", "1", 2)


def test_a_message_we_forgot_is_found_again(side: Side) -> None:
    side.behind.append(mail(1), mail(2), mail(3))
    first = side.provider.look(b"INBOX", None, UidSet())

    look = side.provider.look(b"INBOX", first.bookmark, UidSet.of([1, 3]))

    assert (str(look.arrived), look.vanished) == ("2", UidSet())


def test_an_emptied_folder_has_lost_everything(side: Side) -> None:
    side.behind.append(mail(1), mail(2))
    first = side.provider.look(b"INBOX", None, UidSet())
    side.behind.expunge(1, 2)

    look = side.provider.look(b"INBOX", first.bookmark, first.arrived)

    assert (look.exists, str(look.vanished)) == (0, "1:2")


def test_a_rebuilt_folder_says_start_over(side: Side) -> None:
    """Hazard 1."""
    side.behind.append(mail(1))
    first = side.provider.look(b"INBOX", None, UidSet())
    side.behind.rebuild()

    with pytest.raises(StartOver):
        side.provider.look(b"INBOX", first.bookmark, first.arrived)
    assert str(side.provider.look(b"INBOX", None, UidSet()).arrived) == "1"


def test_a_folder_that_is_not_there_is_refused_and_the_rest_goes_on(side: Side) -> None:
    with pytest.raises(Refused):
        side.provider.look(b"Nowhere", None, UidSet())
    assert side.provider.look(b"INBOX", None, UidSet()).exists == 0


def test_metas_say_flags_date_and_size(side: Side) -> None:
    raw = mail(1)
    when = datetime(2024, 3, 9, 12, 30, tzinfo=UTC)
    side.behind.append(raw, when=when)
    side.behind.flag(1, "\\Flagged")

    [meta] = side.provider.metas(b"INBOX", UidSet.of([1, 99]))

    assert (meta.uid, meta.size) == (1, len(raw))
    assert meta.flags == {"\\Flagged"}
    assert meta.internal_date == when


def test_heads_are_the_lines_that_tell_a_message_from_others(side: Side) -> None:
    """As they stand there, folded or not; a message without any is told of too."""
    side.behind.append(mail(1), b"Subject: x\r\nmessage-id: <1@example.test>\r\nTo: y\r\n\r\nMessage-ID: <no@no>\r\n")

    heads = dict(side.provider.heads(b"INBOX", UidSet.of([1, 2, 9])))

    assert {uid: head.strip().lower() for uid, head in heads.items()} == {1: b"", 2: b"message-id: <1@example.test>"}
    assert {meta.flags for meta in side.provider.metas(b"INBOX", UidSet.of([1, 2]))} == {frozenset()}


def test_fetch_gives_every_byte_and_marks_nothing_as_read(side: Side) -> None:
    """Hazard 57."""
    raws = [mail(number, "x" * number * 1000) for number in range(30)]
    side.behind.append(*raws)

    got = sorted(side.provider.fetch(b"INBOX", UidSet.span(1, 40)), key=lambda message: message.uid)

    assert got == [RemoteMessage(uid, raw) for uid, raw in enumerate(raws, 1)]
    assert {meta.flags for meta in side.provider.metas(b"INBOX", UidSet.span(1, 30))} == {frozenset()}


def test_a_fetch_may_be_given_up_in_the_middle(side: Side) -> None:
    side.behind.append(*(mail(number, "x" * 1_500_000 if number == 7 else "") for number in range(30)))

    first = next(iter(side.provider.fetch(b"INBOX", UidSet.span(1, 30))))
    rest = list(side.provider.fetch(b"INBOX", UidSet.span(1, 30)))

    assert first.raw
    assert len(rest) == 30


def test_since_goes_by_the_date_of_arrival(side: Side) -> None:
    now = datetime.now(UTC)
    side.behind.append(mail(1), when=now - timedelta(days=90))
    side.behind.append(mail(2), when=now - timedelta(days=5))
    side.behind.append(mail(3))

    assert str(side.provider.since(b"INBOX", (now - timedelta(days=30)).date())) == "2:3"


def test_listed_is_asked_of_the_server_now(side: Side) -> None:
    side.behind.append(mail(1), mail(2))
    before = side.provider.listed(b"INBOX")
    side.behind.append(mail(3))
    side.behind.expunge(1)

    assert (str(before), str(side.provider.listed(b"INBOX"))) == ("1:2", "2:3")


def test_a_folder_with_a_difficult_name_is_a_folder(side: Side) -> None:
    side.behind.create('a "b" c')
    side.behind.append(mail(1), folder='a "b" c')
    wire = next(folder.wire for folder in side.provider.folders() if folder.name == 'a "b" c')

    assert len(list(side.provider.fetch(wire, UidSet.of([1])))) == 1


def test_closing_twice_is_closing(side: Side) -> None:
    side.provider.close()
    side.provider.close()
