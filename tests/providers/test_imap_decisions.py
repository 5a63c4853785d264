"""The decisions of the IMAP adapter, without any server."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.providers.contract import Bookmark, FolderState, Role
from rapport.providers.errors import StartOver
from rapport.providers.imap import looking, names
from rapport.providers.imap.client import Client, IllegalCommand
from rapport.providers.imap.commands import Unspeakable, astring, plain
from rapport.providers.imap.looking import Flags
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


def test_what_arrives_during_the_look_is_left_to_the_next() -> None:
    look = looking.conclude(
        now(uidnext=12), Bookmark(7, 11), KNOWN, arrived=UidSet.of([11, 12]), flags={}, listing=UidSet.span(2, 12)
    )

    assert (str(look.arrived), str(look.vanished), look.bookmark.uidnext) == ("11", "1", 12)


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
