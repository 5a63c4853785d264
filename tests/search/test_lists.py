"""The rows of a list."""

from datetime import timedelta

from django.db import connection
from django.test.utils import CaptureQueriesContext

from rapport.crm import verbs
from rapport.mail.models import Account
from rapport.people.models import User
from rapport.search import run, timeline
from tests.world import NOON, a_folder, a_letter, an_account, arrives


def test_a_row_says_who_and_which_company(ana: User) -> None:
    verbs.add_company("Lumen Studio", ["lumen.test"], by=ana)
    verbs.add_contact("Inês Carvalho", ["ines@lumen.test"], by=ana)
    inbox = a_folder(an_account())
    arrives(inbox, a_letter("ines@lumen.test", message_id="<q@w.test>"), a_letter(answers="<q@w.test>", text="Second."))

    (row,) = run.conversations(ana, folder=inbox).rows

    assert (row.who, row.company, row.count, row.unread, row.snippet) == (
        "Inês Carvalho",
        "Lumen Studio",
        2,
        True,
        "Second.",
    )


def test_a_mail_of_ours_says_to_whom(ana: User) -> None:
    account = an_account()
    sent = a_folder(account, "Sent", "sent")
    arrives(sent, a_letter("Ana <sales@rapport.test>", to="Kwame Boateng <kwame@osei.test>"), flags=["\\Seen"])

    (row,) = run.conversations(ana, folder=sent).rows

    assert (row.sent, row.who, row.unread) == (True, "Kwame Boateng", False)


def test_pages_follow_each_other_without_gap_or_double(ana: User) -> None:
    inbox = a_folder(an_account())
    arrives(inbox, *(a_letter(subject=str(number)) for number in range(25)))

    seen, after = [], ""
    while True:
        page = run.conversations(ana, folder=inbox, after=after, limit=10)
        seen += [row.subject for row in page.rows]
        if page.after is None:
            break
        after = page.after

    assert seen == [str(number) for number in range(24, -1, -1)]


def test_the_number_of_queries_does_not_grow(ana: User) -> None:
    inbox = a_folder(an_account())
    arrives(inbox, *(a_letter(f"p{number}@lumen.test") for number in range(3)))
    with CaptureQueriesContext(connection) as few:
        run.conversations(ana, folder=inbox)
    arrives(inbox, *(a_letter(f"q{number}@lumen.test") for number in range(30)))

    with CaptureQueriesContext(connection) as many:
        assert len(run.conversations(ana, folder=inbox).rows) == 33

    assert len(many) == len(few) <= 8


def test_every_inbox_holds_what_one_may_read(ana: User, ben: User) -> None:
    arrives(a_folder(an_account()), a_letter(subject="shared"))
    arrives(a_folder(an_account("ben@rapport.test", owner=ben)), a_letter(subject="Ben's own"))

    assert [row.subject for row in run.conversations(ana).rows] == ["shared"]
    assert {row.subject for row in run.conversations(ben).rows} == {"shared", "Ben's own"}
    assert run.total(ana) == 1


def test_progress_counts_the_window(ana: User) -> None:
    account = an_account(state=Account.State.NEW)
    folder = a_folder(account)
    folder.window, folder.left = 120, 20
    folder.save()

    assert run.syncing(ana) == {account.pk: (100, 120)}


def test_the_same_email_in_two_mailboxes_is_one_entry(ana: User, ben: User) -> None:
    """D12: and it is told from the mailbox the viewer reads in."""
    contact = verbs.add_contact("Inês Carvalho", ["ines@lumen.test"], by=ana)
    raw = a_letter(to="sales@rapport.test, ben@rapport.test")
    arrives(a_folder(an_account("ben@rapport.test", owner=ben)), raw, when=NOON + timedelta(seconds=5))
    arrives(a_folder(an_account()), b"Received: by sales\r\n" + raw)

    (entry,) = timeline.of_contact(ana, contact)

    assert entry.message.account.address == "sales@rapport.test"
    assert entry.mine
    assert timeline.count(ana, contact=contact) == 1


def test_a_colleagues_email_on_the_record_is_not_mine(ana: User, ben: User) -> None:
    contact = verbs.add_contact("Inês Carvalho", ["ines@lumen.test"], by=ana)
    arrives(a_folder(an_account("ben@rapport.test", owner=ben)), a_letter(to="Ben <ben@rapport.test>"))

    (entry,) = timeline.of_contact(ana, contact)

    assert (entry.mine, entry.reason, entry.to) == (False, "matched by address", "Ben")
