"""One pass after another, against dictionaries and against a real Dovecot."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from rapport.blobs import keep
from rapport.crm.models import Contact
from rapport.events.models import Event
from rapport.mail.models import Account, Folder, Message, Placement, Skipped
from rapport.providers.errors import TryLater
from rapport.sync import plan
from tests.sync.conftest import InMemory, Mailbox
from tests.world import NOON, a_letter


def test_everything_comes_in_byte_for_byte(mailbox: Mailbox) -> None:
    letters = [a_letter(subject=f"Letter {number}") for number in range(7)]
    for raw in letters:
        mailbox.deliver(raw)

    mailbox.sync()

    assert mailbox.subjects() == [f"Letter {number}" for number in range(7)]
    assert {keep.get(digest) for digest in Message.objects.values_list("sha256", flat=True)} == set(letters)
    assert all(report.clean for report in mailbox.verify())


def test_a_second_pass_changes_nothing_but_times(mailbox: Mailbox) -> None:
    """Q4: another full pass does no remote effect, and writes timestamps only."""
    for number in range(3):
        mailbox.deliver(a_letter(subject=str(number)))
    mailbox.sync()
    before = _everything()

    with CaptureQueriesContext(
        connection,
    ) as queries:
        changed = mailbox.sync()

    assert not changed
    assert _everything() == before
    written = [query["sql"] for query in queries if not query["sql"].startswith(("SELECT", "SAVEPOINT", "RELEASE"))]
    allowed = ("held_until", "looked_at", "BEGIN", "COMMIT")
    assert [sql for sql in written if not any(word in sql for word in allowed)] == []


def test_new_mail_is_announced_once_and_old_mail_never(mailbox: Mailbox) -> None:
    """I13: nothing of the first sync is news; what comes afterwards is, once."""
    mailbox.deliver(a_letter(subject="old"))
    mailbox.sync()
    assert not Event.objects.filter(arrived=True).exists()

    mailbox.deliver(a_letter(subject="new"))
    mailbox.sync()
    mailbox.sync()

    assert Event.objects.filter(arrived=True).count() == 1


def test_flags_follow_another_client(mailbox: Mailbox) -> None:
    mailbox.deliver(a_letter())
    mailbox.sync()
    folder = Folder.objects.get(name="INBOX")
    assert folder.listings.get().unread == 1

    mailbox.flag(1, "\\Seen")
    mailbox.flag(1, "\\Flagged")
    mailbox.sync()

    row = Placement.objects.get()
    assert (row.seen, row.flagged, row.flags) == (True, True, ["\\Flagged", "\\Seen"])
    assert folder.listings.get().unread == 0


def test_storing_a_mail_never_marks_it_read(mailbox: Mailbox) -> None:
    """D1."""
    mailbox.deliver(a_letter())

    mailbox.sync()
    mailbox.sync()

    assert Placement.objects.get().flags == []


def test_what_another_client_deleted_leaves_the_list_and_is_kept(mailbox: Mailbox) -> None:
    mailbox.deliver(a_letter(subject="stays"))
    mailbox.deliver(a_letter(subject="goes"))
    mailbox.sync()

    mailbox.expunge(2)
    mailbox.sync()

    assert mailbox.subjects() == ["stays"]
    assert Folder.objects.get(name="INBOX").listings.count() == 1
    assert Message.objects.get(subject="goes").gone_since is not None


def test_a_message_that_moves_keeps_its_identity(mailbox: Mailbox) -> None:
    """I8: another client moves it; here it is the same message in another folder."""
    raw = a_letter(subject="moves")
    mailbox.deliver(raw)
    mailbox.sync()
    before = Message.objects.get()

    mailbox.deliver(raw, "Sent")
    mailbox.expunge(1)
    mailbox.sync()

    after = Message.objects.get()
    assert (after.pk, after.gone_since) == (before.pk, None)
    assert mailbox.subjects() == []
    assert mailbox.subjects("Sent") == ["moves"]


def test_the_same_bytes_twice_are_one_message_in_two_places(mailbox: Mailbox) -> None:
    """I9."""
    raw = a_letter()
    mailbox.deliver(raw)
    mailbox.deliver(raw)

    mailbox.sync()

    assert Message.objects.count() == 1
    assert Placement.objects.count() == 2
    assert all(report.clean for report in mailbox.verify())


def test_one_message_id_on_different_bytes_is_two_messages(mailbox: Mailbox) -> None:
    """A forged id suppresses nothing (R7)."""
    mailbox.deliver(a_letter(text="the real one", message_id="<same@world.test>"))
    mailbox.deliver(a_letter(text="the other one", message_id="<same@world.test>"))

    mailbox.sync()

    assert Message.objects.count() == 2


def test_the_period_leaves_older_mail_out_and_says_so(mailbox: Mailbox) -> None:
    mailbox.account.sync_from = NOON - timedelta(days=30)
    mailbox.account.save()
    mailbox.deliver(a_letter(subject="old"), when=NOON - timedelta(days=40))
    mailbox.deliver(a_letter(subject="an hour too old"), when=NOON - timedelta(days=30, hours=1))
    mailbox.deliver(a_letter(subject="young"), when=NOON - timedelta(days=29))

    mailbox.sync()

    assert mailbox.subjects() == ["young"]
    inbox = mailbox.verify()[0]
    assert (inbox.on_server, inbox.here, inbox.missing) == (3, 1, 0)
    assert inbox.skipped == {"before the period": 2}


def test_trash_is_not_filled_but_followed(mailbox: Mailbox) -> None:
    """S22."""
    mailbox.deliver(a_letter(subject="thrown away long ago"), "Trash")
    mailbox.sync()
    assert mailbox.subjects("Trash") == []

    mailbox.deliver(a_letter(subject="thrown away now"), "Trash")
    mailbox.sync()

    assert mailbox.subjects("Trash") == ["thrown away now"]
    trash = next(report for report in mailbox.verify() if report.folder == "Trash")
    assert (trash.skipped, trash.missing) == ({"there before the first sync": 1}, 0)


def test_a_rebuilt_folder_is_read_again_and_nothing_is_new(mailbox: Mailbox) -> None:
    """A new UIDVALIDITY: the same messages with their links, no news, nothing twice (I8, I13)."""
    for number in range(5):
        mailbox.deliver(a_letter(subject=str(number)))
    mailbox.sync()
    before = set(Message.objects.values_list("pk", "uuid"))
    Event.objects.all().delete()
    fetched = mailbox.server.calls["fetch"] if isinstance(mailbox, InMemory) else 0

    mailbox.rebuild()
    mailbox.sync()
    mailbox.sync()

    if isinstance(mailbox, InMemory):
        assert mailbox.server.calls["fetch"] == fetched, "no body is downloaded again"
    assert set(Message.objects.values_list("pk", "uuid")) == before
    assert mailbox.subjects() == ["0", "1", "2", "3", "4"]
    assert Placement.objects.count() == 5
    assert not Event.objects.filter(arrived=True).exists()
    assert all(report.clean for report in mailbox.verify())


def test_unknown_senders_become_contacts_and_machines_do_not(mailbox: Mailbox) -> None:
    """S16, D5."""
    mailbox.account.create_contacts = True
    mailbox.account.save()
    mailbox.deliver(a_letter("Inês Carvalho <ines@lumen.test>"))
    mailbox.deliver(a_letter("News <hello@news.test>", headers=[("List-Unsubscribe", "<https://news.test/off>")]))
    mailbox.deliver(a_letter("no-reply@bank.test"))
    mailbox.deliver(a_letter("info@bakery.test"))
    mailbox.deliver(a_letter("Spam <spam@spam.test>"), "Junk")

    mailbox.sync()
    mailbox.sync()

    assert set(Contact.objects.values_list("name", "addresses__address")) == {
        ("Inês Carvalho", "ines@lumen.test"),
        ("Info", "info@bakery.test"),
    }


def test_a_message_that_cannot_be_read_is_kept_and_listed(in_memory: InMemory) -> None:
    """D17: quarantined with its raw bytes; the others come in."""
    bomb = b"Subject: bomb\r\n" + b"Content-Type: multipart/mixed; boundary=x\r\n\r\n" + b"--x\r\n\r\n" * 200_000
    in_memory.deliver(bomb)
    in_memory.deliver(a_letter(subject="fine"))

    in_memory.sync()

    assert Message.objects.count() == 2
    kept = Message.objects.exclude(subject="fine").get()
    assert kept.reading != Message.Reading.WHOLE
    assert keep.get(kept.sha256) == bomb


def test_a_message_the_server_lists_but_does_not_give(in_memory: InMemory, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is named, asked for again a few times, and nothing waits for it (sync.md hazards 15, 21)."""
    in_memory.deliver(a_letter(subject="ghost"))
    in_memory.deliver(a_letter(subject="fine"))
    given = type(in_memory.sign_in()).fetch
    monkeypatch.setattr(type(in_memory.sign_in()), "fetch", lambda *told: (one for one in given(*told) if one.uid != 1))

    in_memory.sync()
    assert in_memory.subjects() == ["fine"]
    assert Skipped.objects.get().reason == Skipped.Reason.NOT_GIVEN
    for _ in range(5):
        in_memory.sync()

    assert not in_memory.sync(), "it is not asked for for ever"
    assert Skipped.objects.get().tries == 3
    monkeypatch.undo()
    assert in_memory.verify()[0].skipped == {"listed but not given by the server": 1}


def test_silence_deletes_nothing(in_memory: InMemory) -> None:
    """I10: a list without folders, or a server in trouble, is no evidence."""
    in_memory.deliver(a_letter())
    in_memory.sync()
    held = in_memory.server.folders
    in_memory.server.folders = {}

    in_memory.sync()

    in_memory.server.folders = held
    assert in_memory.subjects() == ["Ceiling baffles"]
    assert not Folder.objects.exclude(gone_at=None).exists()
    in_memory.server.trouble.append(TryLater("busy"))
    with pytest.raises(TryLater):
        in_memory.sync()
    assert in_memory.subjects() == ["Ceiling baffles"]


def test_a_folder_made_on_the_server_follows(mailbox: Mailbox) -> None:
    mailbox.sync()

    if isinstance(mailbox, InMemory):
        mailbox.server.create(b"Quotes")
    mailbox.deliver(a_letter(subject="a quote"), "Quotes")
    mailbox.sync()

    assert mailbox.subjects("Quotes") == ["a quote"]


def test_twins_in_a_rebuilt_folder_are_known_by_their_bytes(in_memory: InMemory) -> None:
    """One Message-ID, date and size on two messages says nothing: then the bytes decide (I9)."""
    twins = [a_letter(text=text, message_id="<twin@world.test>") for text in ("one", "two")]
    for raw in (*twins, a_letter(subject="other")):
        in_memory.deliver(raw)
    in_memory.sync()
    before = set(Message.objects.values_list("pk", flat=True))

    in_memory.rebuild()
    in_memory.sync()

    assert set(Message.objects.values_list("pk", flat=True)) == before
    assert Placement.objects.count() == 3
    assert all(report.clean for report in in_memory.verify())


def test_a_renamed_folder_keeps_its_row(mailbox: Mailbox) -> None:
    """sync.md B6, hazard 42."""
    mailbox.make("Quotes")
    mailbox.deliver(a_letter(subject="a quote"), "Quotes")
    mailbox.sync()
    before = Folder.objects.get(name="Quotes")

    mailbox.rename("Quotes", "Offers")
    mailbox.sync()

    after = Folder.objects.get(name="Offers")
    assert (after.pk, after.uuid) == (before.pk, before.uuid)
    assert not Folder.objects.filter(name="Quotes").exists()
    assert mailbox.subjects("Offers") == ["a quote"]


def test_a_removed_folder_takes_its_mail_out_of_sight_and_brings_it_back(in_memory: InMemory) -> None:
    in_memory.make("Quotes")
    in_memory.deliver(a_letter(subject="a quote"), "Quotes")
    in_memory.sync()
    held = in_memory.server.folders[b"Quotes"]

    in_memory.server.delete(b"Quotes")
    in_memory.sync()
    assert Message.objects.get().gone_since is not None

    in_memory.server.folders[b"Quotes"] = held
    in_memory.sync()
    assert Message.objects.get().gone_since is None
    assert Folder.objects.get(name="Quotes").gone_at is None


def test_a_pass_that_may_not_take_long_stops_and_goes_on(in_memory: InMemory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Q8: others get their turn, and nothing is forgotten."""
    monkeypatch.setattr(plan, "CHUNK", 2)
    monkeypatch.setattr(plan, "FIRST_CHUNK", 1)
    for number in range(9):
        in_memory.deliver(a_letter(subject=str(number)))

    passes = 0
    while in_memory.sync(seconds=0) and passes < 20:
        passes += 1

    assert 1 < passes < 20
    assert in_memory.subjects() == [str(number) for number in range(9)]


def test_news_comes_before_the_rest_of_a_long_first_sync(in_memory: InMemory, monkeypatch: pytest.MonkeyPatch) -> None:
    """D2: an inbox that tells of something new is looked at while older mail still comes in."""
    monkeypatch.setattr(plan, "CHUNK", 2)
    monkeypatch.setattr(plan, "FIRST_CHUNK", 1)
    for number in range(20):
        in_memory.deliver(a_letter(subject=str(number)))
    told: list[int] = []

    def news() -> bool:
        if len(told) == 3:
            in_memory.deliver(a_letter(subject="just now"))
        told.append(Message.objects.count())
        return len(told) == 4

    in_memory.sync(news=news)

    arrived = list(Message.objects.order_by("pk").values_list("subject", flat=True))
    assert len(arrived) == 21
    assert arrived.index("just now") < 15


def _everything() -> list[object]:
    """Every row but its moments."""
    times = {"looked_at", "held_until", "next_pass", "synced_at", "swept_recent", "swept_whole"}
    rows: list[object] = []
    for model in (Folder, Message, Placement, Skipped, Event, Contact, Account):
        names = [field.attname for field in model._meta.concrete_fields if field.attname not in times]
        rows.append(list(model.objects.order_by("pk").values_list(*names)))
    return rows
