"""The decisions of the IMAP adapter, without any server."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.providers.contract import Bookmark, FolderState, Pace, Role
from rapport.providers.errors import StartOver
from rapport.providers.imap import deflate, looking, names, wire
from rapport.providers.imap.client import Client, IllegalCommand
from rapport.providers.imap.commands import Command, Unspeakable, astring, flowing, plain
from rapport.providers.imap.looking import Flags, Told
from rapport.providers.imap.roles import Candidate, resolve
from rapport.providers.uids import UidSet

KNOWN = UidSet.span(1, 10)


def now(
    exists: int = 10, uidnext: int | None = 11, modseq: int | None = 50, uidvalidity: int | None = 7
) -> FolderState:
    return FolderState(exists, uidnext, uidvalidity, modseq)


@pytest.mark.parametrize(
    ("modseq", "saved", "flags"),
    [
        (50, 50, Flags.NOTHING),
        (51, 50, Flags.CHANGED),
        (49, 50, Flags.ALL),
        (None, 50, Flags.ALL),
        (0, 50, Flags.ALL),
        (50, 0, Flags.ALL),
        (None, 0, Flags.SWEEP),
        (0, 0, Flags.SWEEP),
    ],
)
def test_mod_sequences_are_used_only_while_they_make_sense(modseq: int | None, saved: int, flags: Flags) -> None:
    """Hazards 9, 10 and 11: none, 0, going back; and CHANGEDSINCE 0 is never asked, because 0 is none."""
    asked = looking.questions(now(modseq=modseq), Bookmark(7, 11, saved), KNOWN)

    assert asked.flags is flags
    assert asked.arrivals == UidSet()


def test_an_empty_folder_is_asked_nothing() -> None:
    asked = looking.questions(now(exists=0), Bookmark(7, 5, 0), KNOWN)

    assert (asked.arrivals, asked.flags) == (UidSet(), Flags.NOTHING)


@pytest.mark.parametrize("uidvalidity", [None, 0, 6, 8])
def test_another_uidvalidity_starts_over(uidvalidity: int | None) -> None:
    with pytest.raises(StartOver):
        looking.check(7, now(uidvalidity=uidvalidity), "INBOX")


def test_a_uidnext_that_falls_back_does_not_take_us_along() -> None:
    look = looking.conclude(now(uidnext=4), Bookmark(7, 11, 50), KNOWN, arrived=UidSet(), flags={}, listing=None)

    assert look.bookmark.uidnext == 11


def test_a_uidnext_below_messages_that_were_there_is_not_believed() -> None:
    """Hazard 6."""
    look = looking.conclude(now(uidnext=8), None, UidSet(), arrived=KNOWN, flags={}, listing=None)

    assert (str(look.arrived), look.bookmark.uidnext) == ("1:10", 11)


def test_what_arrives_during_the_look_is_left_to_the_next() -> None:
    """Hazards 13 and 14: the numbers of a look are all from one instant, and so is its bookmark."""
    look = looking.conclude(
        now(uidnext=12), Bookmark(7, 11), KNOWN, arrived=UidSet.of([11, 12]), flags={}, listing=UidSet.span(2, 12)
    )

    assert (str(look.arrived), str(look.vanished), look.bookmark.uidnext) == ("11", "1", 12)


def told(vanished: str, *, garbled: bool = False) -> Told:
    return Told(UidSet.parse(vanished), {}, garbled)


def test_what_vanished_is_believed_while_it_adds_up() -> None:
    """Hazard 25: a server that lost its history names also what nobody ever knew."""
    look = looking.conclude(
        now(exists=8), Bookmark(7, 11, 50), KNOWN, arrived=UidSet(), flags={}, listing=None, told=told("3:4,900:999")
    )

    assert (str(look.vanished), look.bookmark.doubts) == ("3:4", 0)


@pytest.mark.parametrize(("vanished", "exists"), [("3:4", 9), ("", 9), ("3", 10)])
def test_what_does_not_add_up_takes_nothing_away(vanished: str, exists: int) -> None:
    assert looking.needs_listing(now(exists=exists), KNOWN, UidSet(), UidSet.parse(vanished))
    look = looking.conclude(
        now(exists=exists), Bookmark(7, 11, 50), KNOWN, arrived=UidSet(), flags={}, listing=None, told=told(vanished)
    )

    assert look.vanished == UidSet()


def test_two_wrong_tales_are_enough_and_a_right_one_redeems() -> None:
    """The coverage equation (sync.md B2): the folder's own doubts, kept in its bookmark."""

    def after(bookmark: Bookmark, tale: str, listing: UidSet | None) -> Bookmark:
        exists = len(listing) if listing else 9
        return looking.conclude(
            now(exists=exists), bookmark, KNOWN, arrived=UidSet(), flags={}, listing=listing, told=told(tale)
        ).bookmark

    once = after(Bookmark(7, 11, 50), "", UidSet.span(2, 10))
    twice = after(once, "5", UidSet.span(2, 10))

    assert (once.doubts, twice.doubts) == (1, 2)
    assert after(once, "5", None).doubts == 0
    assert looking.may_resync(once)
    assert not looking.may_resync(twice)
    assert not looking.may_resync(Bookmark(7, 11, 0))


def test_a_message_that_we_forgot_is_not_the_servers_fault() -> None:
    look = looking.conclude(
        now(), Bookmark(7, 11, 50), UidSet.span(2, 10), arrived=UidSet(), flags={}, listing=KNOWN, told=told("")
    )

    assert (str(look.arrived), look.bookmark.doubts) == ("1", 0)


def test_mod_sequences_that_ran_backwards_are_never_used_again() -> None:
    """Hazard 10."""
    look = looking.conclude(now(modseq=40), Bookmark(7, 11, 50), KNOWN, arrived=UidSet(), flags={}, listing=None)
    later = now(modseq=60)

    assert look.bookmark == Bookmark(7, 11, 0, looking.NO_CONDSTORE)
    assert looking.questions(later, look.bookmark, KNOWN).flags is Flags.SWEEP
    again = looking.conclude(later, look.bookmark, KNOWN, arrived=UidSet(), flags={}, listing=None)
    assert again.bookmark == look.bookmark


@pytest.mark.parametrize(
    ("tale", "modseq", "credible"),
    [(told("3"), 51, True), (told("3"), 50, True), (told("3"), 49, False), (told("3"), None, False),
     (told("", garbled=True), 51, False)],
)  # fmt: skip
def test_what_a_server_tells_by_itself_is_tested(tale: Told, modseq: int | None, credible: bool) -> None:
    """Hazard 26."""
    assert looking.credible(tale, now(modseq=modseq), Bookmark(7, 11, 50)) is credible


@given(st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"])))
def test_a_folder_has_one_key_however_the_server_spells_it(name: str) -> None:
    """Hazard 37: a server that learns UTF8=ACCEPT, or unlearns it, renames nothing."""
    key = names.key(names.encode(name), utf8=False)

    assert names.key(name.encode(), utf8=True) == key
    assert names.spoken(key, utf8=True) == (b"INBOX" if name.upper() == "INBOX" else name.encode())
    assert names.spoken(key, utf8=False) == key


@pytest.mark.parametrize("wire", [b"\xff\xfe", b"R&D", b"&!!-"])
def test_a_name_that_is_neither_is_said_as_it_came(wire: bytes) -> None:
    assert names.spoken(names.key(wire, utf8=False), utf8=True) == wire


@pytest.mark.parametrize(
    ("capabilities", "pieces"),
    [
        (set(), (b"LOGIN {3}", b"ana {9}", b"password!")),
        ({"LITERAL+"}, (b"LOGIN {3+}\r\nana {9+}\r\npassword!",)),
        ({"LITERAL-"}, (b"LOGIN {3+}\r\nana {9+}\r\npassword!",)),
        ({"IMAP4REV2"}, (b"LOGIN {3+}\r\nana {9+}\r\npassword!",)),
    ],
)
def test_literals_are_waited_for_where_the_server_wants_it(capabilities: set[str], pieces: tuple[bytes, ...]) -> None:
    """Hazard 53 (RFC 7888)."""
    command = Command("LOGIN", (b"LOGIN {3}", b"ana {9}", b"password!"))

    assert flowing(command, frozenset(capabilities)).pieces == pieces


def test_a_long_literal_is_waited_for_under_literal_minus() -> None:
    """Hazard 53: 4,096 octets, and not one more."""
    command = Command("APPEND", (b"APPEND x ~{4097}", b"y" * 4097))

    assert flowing(command, frozenset({"LITERAL-"})).pieces == command.pieces
    assert len(flowing(command, frozenset({"LITERAL+"})).pieces) == 1


@pytest.mark.parametrize(
    ("octets", "seconds", "pays"),
    [
        (10_000_000, 10.0, True),
        (10_000_000, 0.1, False),
        (10_000, 1.0, False),
        (0, 0.0, False),
        (10_000_000, 0.3, True),
    ],
)
def test_packing_pays_on_slow_ways_only(octets: int, seconds: float, pays: bool) -> None:
    """Below about 300 Mbit/s, once enough was seen."""
    assert deflate.pays(Pace(octets, seconds)) is pays


@pytest.mark.parametrize(
    ("waited", "heard", "timeout", "overdue"),
    [(299, 0, 30.0, False), (301, 0, 30.0, True), (301, 10_000, 30.0, False), (3000, 2_000_000, 30.0, True), (9e9, 0, None, False)],
)  # fmt: skip
def test_an_answer_may_be_long_but_not_endless(waited: float, heard: int, timeout: float | None, overdue: bool) -> None:
    """Hazard 59: one octet a timeout would never time out."""
    assert wire.overdue(waited, heard, timeout) is overdue


@given(st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"])))
def test_a_folder_name_survives_the_wire(name: str) -> None:
    assert names.decode(names.encode(name)) == name


@pytest.mark.parametrize(
    ("wire", "name"),
    [
        (b"Entw&APw-rfe", "Entwürfe"),
        (b"R&D", "R&D"),
        (b"a&-b", "a&b"),
        (b"&ZeVnLIqe-/&U,BTFw-", "日本語/台北"),
        (b"&AAA", "\ufffd"),
        (b"&2D0-", "&2D0-"),
        (b"Entw\xc3\xbcrfe", "Entwürfe"),
        (b"\xff", "\ufffd"),
        (b"&!!-", "&!!-"),
    ],
)
def test_a_folder_name_is_read_whatever_it_holds(wire: bytes, name: str) -> None:
    assert names.decode(wire) == name


@given(st.binary(max_size=60))
def test_no_folder_name_is_an_error(wire: bytes) -> None:
    names.decode(wire).encode()


@given(st.binary(max_size=60))
def test_an_argument_is_one_argument_or_none(text: bytes) -> None:
    try:
        spelled = astring(text)
    except Unspeakable:
        assert set(text) & set(b"\r\n\0")
    else:
        assert not set(spelled) & set(b"\r\n\0")
        assert spelled == text or spelled[:1] + spelled[-1:] == b'""'


def roles(*folders: tuple[str, str], delimiter: str = "/") -> list[str]:
    return [
        role.value
        for role in resolve(Candidate(name, delimiter, frozenset(attributes.split())) for name, attributes in folders)
    ]


def test_an_attribute_beats_a_name_and_each_role_is_given_once() -> None:
    found = roles(("Sent", ""), ("Gesendet", "\\sent"), ("Trash", ""), ("Deleted Items", ""), ("[Gmail]/All", "\\all"))

    assert found == ["", "sent", "trash", "", "all"]


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("Gesendete Elemente", Role.SENT), ("Éléments envoyés", Role.SENT), ("已发送", Role.SENT), ("送信済み", Role.SENT),
        ("Отправленные", Role.SENT), ("INBOX/Drafts", Role.DRAFTS), ("entwürfe", Role.DRAFTS), ("Papierkorb", Role.TRASH),
        ("ＴＲＡＳＨ", Role.TRASH), ("Corbeille", Role.TRASH), ("Junk-E-Mail", Role.SPAM), ("Courrier indésirable", Role.SPAM),
        ("Inbox", Role.INBOX), ("Archiv", Role.ARCHIVE), ("Projects/Sent", Role.NONE), ("Trash/Drafts", Role.NONE),
        ("Customers", Role.NONE), ("", Role.NONE),
    ],
)  # fmt: skip
def test_a_name_in_many_languages_has_a_role(name: str, role: Role) -> None:
    assert roles((name, "")) == [role.value]


def test_what_does_not_belong_here_is_not_said() -> None:
    client = Client()
    with pytest.raises(IllegalCommand):
        client.say(plain("NOOP"))
    client.feed(b"* OK hi\r\n")
    client.response()
    with pytest.raises(IllegalCommand):
        client.say(plain("UID FETCH", b"1", b"(FLAGS)"))
    with pytest.raises(IllegalCommand):
        client.say(plain("DELETE", b"x"))
    client.say(plain("STARTTLS"))
    with pytest.raises(IllegalCommand):
        client.say(plain("CAPABILITY"))
