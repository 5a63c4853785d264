"""Hazards that are no habit of a server but something that happens: between two commands, or in a mailbox like this."""

import itertools
from collections.abc import Callable
from datetime import timedelta

import pytest
from _pytest.mark import ParameterSet

from rapport.connect import opening
from rapport.events.models import Event
from rapport.mail.models import Account, Folder, Message, Placement
from rapport.mime.child import Parsers
from rapport.sync import plan
from rapport.sync.watch import Watch
from tests.proving.ordeal import OnModel
from tests.servers.model import PROFILES, Model, Quirk
from tests.world import NOON, a_letter


@pytest.mark.parametrize("profile", PROFILES)
def test_every_kind_of_server(ordeal: OnModel, profile: str) -> None:
    """Without CONDSTORE, LIST-STATUS, SPECIAL-USE, UIDPLUS, ESEARCH or even NAMESPACE: the end is the same."""
    ordeal.model.capabilities = set(PROFILES[profile].upper().split())
    ordeal.populate()

    ordeal.quiesce()
    ordeal.assert_agrees()
    ordeal.change()
    ordeal.quiesce(thorough=True)

    assert ordeal.troubles == []
    ordeal.assert_agrees()
    assert not ordeal.sync(), "and nothing is left to do"


def test_a_new_uidvalidity_brings_no_body_again(ordeal: OnModel) -> None:
    """Hazard 1: the same rows, no news, and not one body a second time."""
    ordeal.populate()
    ordeal.quiesce()
    given = ordeal.model.bodies

    ordeal.model.truth.rebuild(b"INBOX")
    ordeal.quiesce()

    ordeal.assert_agrees()
    assert not Event.objects.filter(arrived=True).exists()
    assert ordeal.model.bodies == given


TWINS: dict[str, Callable[[OnModel, bytes, bytes], object]] = {
    "they change places": lambda ordeal, one, other: ordeal.model.truth.expunge(1),
    "one is gone": lambda ordeal, one, other: ordeal.model.truth.expunge(1, 3),
    "the other one stays": lambda ordeal, one, other: ordeal.model.truth.expunge(2, 3),
    "a third comes": lambda ordeal, one, other: ordeal.model.truth.append(one.replace(b"one", b"six"), when=NOON),
}


@pytest.mark.parametrize("what", TWINS)
def test_twins_in_a_rebuilt_folder_are_never_mistaken(ordeal: OnModel, what: str) -> None:
    """I9: the same Message-ID, date and size on other bytes is another message."""
    one, other = (a_letter(message_id="<twin@world.test>", text=text) for text in ("one", "two"))
    for raw in (one, other):
        ordeal.model.truth.append(raw, when=NOON)
    ordeal.quiesce()
    ordeal.model.truth.append(one, when=NOON)

    TWINS[what](ordeal, one, other)
    ordeal.model.truth.rebuild()
    ordeal.quiesce()

    assert len(one) == len(other)
    ordeal.assert_agrees()


def test_twins_far_apart_in_a_rebuilt_folder_are_never_mistaken(
    ordeal: OnModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """I9: also where the folder is recognised in pieces, and each piece has only one of them."""
    monkeypatch.setattr(plan, "CHUNK", 1)
    one, other = (a_letter(message_id="<twin@world.test>", text=text) for text in ("one", "two"))
    ordeal.model.truth.append(one, when=NOON)
    ordeal.letters(b"INBOX", *(f"between {number}" for number in range(20)))
    ordeal.quiesce()

    ordeal.model.truth.append(other, when=NOON)
    ordeal.model.truth.rebuild()
    ordeal.quiesce()

    ordeal.assert_agrees()


def test_a_uidvalidity_that_never_lasts_brings_no_body_twice(ordeal: OnModel) -> None:
    """Hazard 3: every connection another UIDVALIDITY; ten passes cost one download."""
    ordeal.populate()
    ordeal.model.quirks.add(Quirk.VALIDITY_EACH_CONNECTION)

    for _ in range(10):
        ordeal.sync()

    assert ordeal.model.bodies <= Placement.objects.count()


@pytest.mark.parametrize("uidvalidity", [5, 0], ids=["lower", "zero"])
def test_a_uidvalidity_that_goes_down(ordeal: OnModel, uidvalidity: int) -> None:
    """Hazard 2."""
    ordeal.populate()
    ordeal.quiesce()

    ordeal.model.truth.rebuild(b"INBOX", uidvalidity)
    ordeal.quiesce()

    assert ordeal.troubles == []
    ordeal.assert_agrees()


MEANWHILE: dict[str, Callable[[OnModel], object]] = {
    "4 the inbox is rebuilt": lambda ordeal: ordeal.model.truth.rebuild(b"INBOX"),
    "13 a letter arrives": lambda ordeal: ordeal.letters(b"INBOX", "in between"),
    "19 letters are expunged": lambda ordeal: ordeal.model.truth.expunge(
        *sorted(ordeal.model.truth.box(b"INBOX").letters)[:3]
    ),
    "22 the newest is expunged": lambda ordeal: ordeal.model.truth.expunge(
        max(ordeal.model.truth.box(b"INBOX").letters)
    ),
    "42 a folder is deleted": lambda ordeal: ordeal.model.truth.delete(b"Projects"),
    "42 a folder is renamed": lambda ordeal: ordeal.model.truth.rename(b"Projects", b"Plans"),
    "42 the inbox is renamed": lambda ordeal: ordeal.model.truth.rename(b"INBOX", b"Before"),
    "62 the connection drops": lambda ordeal: ordeal.model.drop(),
}
MOMENTS = [
    ("before", "LIST"),
    ("after", "LIST"),
    ("before", "SELECT"),
    ("after", "SELECT"),
    ("after", "UID SEARCH"),
    ("after", "UID FETCH"),
]


def _occasions() -> list[ParameterSet]:
    """Everything at every moment; what takes a few seconds in all is in the fast run."""
    return [_occasion(*chosen) for chosen in itertools.product((False, True), MOMENTS, MEANWHILE)]


def _occasion(again: bool, moment: tuple[str, str], what: str) -> ParameterSet:
    fast = moment in (("after", "UID FETCH"), ("after", "SELECT") if again else ("after", "LIST"))
    name = f"{'a later pass' if again else 'first sync'}, {' '.join(moment)}: {what}"
    return pytest.param(what, moment, again, id=name, marks=() if fast else pytest.mark.long)


@pytest.mark.parametrize(("what", "moment", "again"), _occasions())
def test_something_happens_between_two_commands(
    ordeal: OnModel, what: str, moment: tuple[str, str], *, again: bool
) -> None:
    ordeal.populate()
    if again:
        ordeal.quiesce()
        ordeal.change()
    ordeal.model.plan(*moment, lambda: MEANWHILE[what](ordeal))

    ordeal.quiesce()

    assert not ordeal.model.planned() or moment[1] == "UID SEARCH", "it did not happen"
    ordeal.quiesce(thorough=True)
    ordeal.assert_agrees()
    ordeal.assert_announced_once()


def test_one_letter_under_thousands_of_uids(ordeal: OnModel) -> None:
    """Hazard 20: as many places, one message; and the pass stays bounded."""
    raw = a_letter(subject="everywhere")
    for _ in range(3000):
        ordeal.model.truth.append(raw, when=NOON)

    ordeal.quiesce()

    ordeal.assert_agrees()
    assert Message.objects.count() == 1


def test_a_scattered_folder_on_a_server_of_short_lines(ordeal: OnModel) -> None:
    """Hazard 32: no command line is longer than the server takes, whatever the UIDs."""
    ordeal.model.quirks.add(Quirk.LINES_SHORT)
    ordeal.model.capabilities = set(PROFILES["exchange"].upper().split())
    inbox = ordeal.model.truth.box(b"INBOX")
    inbox.uidnext = 1_000_000_000
    for number in range(1100):
        ordeal.model.truth.append(b"Subject: %d\r\n\r\n" % number, when=NOON)
        inbox.uidnext += 1

    ordeal.quiesce()
    ordeal.model.truth.expunge(*sorted(inbox.letters)[1::8])
    ordeal.model.truth.set_flags(min(inbox.letters), frozenset({"\\Seen"}))
    ordeal.quiesce(thorough=True)

    assert ordeal.troubles == []
    ordeal.assert_agrees()


NAMES = {
    "invalid mUTF-7": b"&AOk-&bad",
    "an ampersand alone": b"A&B",
    "a trailing space": b"trailing ",
    "a leading space": b" leading",
    "8-bit": "Entwürfe".encode(),
    "an old code page": "Entwürfe".encode("latin-1"),
    "quotes": b'say "hello"',
    "a backslash": b"back\\slash",
    "a control character": b"bell\x07",
    "a tab": b"a\tb",
    "a star": b"every*thing%",
    "parentheses": b"(old) {3}",
    "brackets": b"[Gmail]/All",
    "NIL": b"NIL",
    "composed": b"caf\xc3\xa9",
    "decomposed": b"cafe\xcc\x81",
    "long": b"x" * 300,
    "deep": b"/".join([b"d"] * 30),
}


@pytest.mark.parametrize("kind", NAMES)
def test_a_folder_of_any_name(ordeal: OnModel, kind: str) -> None:
    """Hazard 37: the wire's bytes are the key."""
    ordeal.model.capabilities -= {"UTF8=ACCEPT"}
    ordeal.model.truth.create(NAMES[kind])
    ordeal.letters(NAMES[kind], "in here")

    ordeal.quiesce()

    assert ordeal.troubles == []
    folder = Folder.objects.get(placements__message__subject="in here")
    assert bytes(folder.wire) == NAMES[kind]
    ordeal.assert_agrees()


def test_names_that_differ_only_in_their_composition_are_two_folders(ordeal: OnModel) -> None:
    """Hazard 37."""
    ordeal.model.capabilities -= {"UTF8=ACCEPT"}
    for kind in ("composed", "decomposed"):
        ordeal.model.truth.create(NAMES[kind])
        ordeal.letters(NAMES[kind], kind)

    ordeal.quiesce()

    ordeal.assert_agrees()
    assert Folder.objects.filter(placements__isnull=False).count() == 2


def test_a_folder_is_the_same_in_either_spelling(ordeal: OnModel) -> None:
    """Hazard 37: a server that learns UTF8=ACCEPT, or forgets it, has the folders it had."""
    ordeal.model.truth.create(b"Entw&APw-rfe")
    ordeal.letters(b"Entw&APw-rfe", "in here")
    ordeal.quiesce()
    before = set(Folder.objects.values_list("pk", "name"))

    ordeal.model.capabilities -= {"UTF8=ACCEPT"}
    ordeal.letters(b"Entw&APw-rfe", "and here")
    ordeal.quiesce()

    ordeal.assert_agrees()
    assert set(Folder.objects.values_list("pk", "name")) == before
    assert "Entwürfe" in {name for _, name in before}


def test_a_folder_that_shows_all_mail(ordeal: OnModel) -> None:
    """Hazard 33: one message in three folders is one message, and leaving one of them is not leaving all."""
    ordeal.model.truth.create(b"All", "\\All")
    raw = a_letter(subject="once")
    for folder in (b"INBOX", b"All", b"Archive"):
        ordeal.model.truth.append(raw, folder, when=NOON)
    ordeal.quiesce()

    ordeal.model.truth.expunge(1)
    ordeal.quiesce()

    ordeal.assert_agrees()
    assert Message.objects.get().placements.count() == 2


def test_folders_swap_their_names(ordeal: OnModel) -> None:
    """Hazard 42."""
    ordeal.populate()
    ordeal.quiesce()
    truth = ordeal.model.truth

    truth.rename(b"Archive", b"aside")
    truth.rename(b"Projects", b"Archive")
    truth.rename(b"aside", b"Projects")
    ordeal.quiesce()

    ordeal.assert_agrees()
    ordeal.assert_announced_once()


def test_a_folder_is_deleted_and_made_again(ordeal: OnModel) -> None:
    """Hazard 42: the same name is not the same folder."""
    ordeal.populate()
    ordeal.quiesce()

    ordeal.model.truth.delete(b"Projects")
    ordeal.model.truth.create(b"Projects")
    ordeal.letters(b"Projects", "another one")
    ordeal.quiesce()

    ordeal.assert_agrees()


def test_a_renamed_folder_brings_no_body_again(ordeal: OnModel) -> None:
    """Hazard 42: at worst a rename costs a listing; messages and their notes stay (I8)."""
    ordeal.populate()
    ordeal.quiesce()
    given = ordeal.model.bodies

    ordeal.model.truth.rename(b"Archive", b"Archive 2025")
    ordeal.quiesce()

    ordeal.assert_agrees()
    assert ordeal.model.bodies == given


def test_a_status_that_never_changes_is_not_believed_for_ever(ordeal: OnModel) -> None:
    """Hazard 24."""
    ordeal.populate()
    ordeal.model.quirks.add(Quirk.STATUS_STALE)
    ordeal.quiesce()
    ordeal.change()
    ordeal.quiesce()

    ordeal.hours_pass(1)
    ordeal.quiesce()

    ordeal.assert_agrees()


@pytest.mark.parametrize(
    "quirk", [Quirk.SINCE_A_DAY_LATE, Quirk.SEARCH_EMPTY, Quirk.SEARCH_CAPPED, Quirk.SEARCH_REFUSED]
)
def test_the_period_is_kept_whatever_search_says(model: Model, db: None, parsers: Parsers, quirk: Quirk) -> None:
    """Hazards 29 and 30: what is inside the period is here, what is not is not."""
    ordeal = OnModel.connected(model, parsers, since=NOON - timedelta(days=30))
    model.quirks.add(quirk)
    for hours in (1, 20, 30, 24 * 20):
        for edge in (-hours, hours):
            when = NOON - timedelta(days=30) + timedelta(hours=edge)
            model.truth.append(a_letter(subject=f"{edge}", when=when), when=when)

    ordeal.quiesce()

    here = set(Placement.objects.filter(folder__name="INBOX").values_list("message__subject", flat=True))
    assert here == {"1", "20", "30", "480"}


def test_folders_in_another_language_have_their_roles(ordeal: OnModel) -> None:
    """Hazard 38: no SPECIAL-USE, German names."""
    ordeal.model.capabilities -= {"SPECIAL-USE"}
    for wire in (b"Gesendet", b"Entw&APw-rfe", b"Papierkorb"):
        ordeal.model.truth.create(wire)
    for name in (b"Sent", b"Drafts", b"Trash"):
        ordeal.model.truth.delete(name)

    ordeal.quiesce()

    roles = dict(Folder.objects.filter(gone_at=None).values_list("name", "role"))
    assert {roles["Gesendet"], roles["Entwürfe"], roles["Papierkorb"]} == {"sent", "drafts", "trash"}


def test_a_password_that_is_refused_twice_disables_and_deletes_nothing(ordeal: OnModel) -> None:
    """I10, D7: the one trouble that disables."""
    ordeal.populate()
    ordeal.quiesce()
    before = Placement.objects.count()
    ordeal.model.password = "changed"

    ordeal.sync()
    assert Account.objects.get().state == "unreached", "servers err: it is tried once more"
    ordeal.sync()

    assert Account.objects.get().state == "refused"
    assert Placement.objects.count() == before


@pytest.mark.parametrize("quirk", [None, Quirk.IDLE_EARLY, Quirk.IDLE_EXISTS_ONLY, Quirk.IDLE_DROPS], ids=str)
def test_a_watched_inbox_is_heard_of(ordeal: OnModel, quirk: Quirk | None) -> None:
    """Hazards 59 to 61: news is a signal, a broken watch is one too, and losing one only costs time (Q6)."""
    ordeal.populate()
    ordeal.quiesce()
    if quirk:
        ordeal.model.quirks.add(quirk)
    heard: list[int] = []
    watch = Watch(heard.append)
    watch.add(ordeal.account.pk, opening.idle(ordeal.account, b"INBOX"))
    heard.clear()

    ordeal.letters(b"INBOX", "news")
    for _ in range(20):
        watch.turn(0.25)
        if heard:
            break

    assert heard == [ordeal.account.pk]
    assert watch.watches(ordeal.account.pk) is (quirk is not Quirk.IDLE_DROPS)
    watch.close()
    ordeal.quiesce()
    ordeal.assert_agrees()
