"""The page about one mailbox, and what is said when it has trouble."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils.timezone import now

from rapport.mail.models import Account, Skipped
from rapport.people.models import User
from rapport.web.progress import progress
from tests.web.letters import account, folder, mail

REFUSED = "The password was refused. The server and encryption are right; only the password isn’t."


def page(user: User, where: str, **headers: str) -> str:
    client = Client()
    client.force_login(user)
    answer = client.get(where, headers=headers)
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()


def about(of: Account) -> str:
    return f"/accounts/{of.uuid}"


@pytest.fixture
def sales(db: None) -> Account:
    """A shared mailbox in good order."""
    made = account("sales@finch.example")
    made.folders.update(looked_at=now())
    return made


def refused(of: Account) -> None:
    Account.objects.filter(pk=of.pk).update(
        state="refused", trouble=REFUSED, said="NO [AUTHENTICATIONFAILED]", trouble_since=now() - timedelta(hours=2)
    )


def test_it_says_of_every_folder_what_is_here_and_what_is_not(ben: User, sales: Account) -> None:
    """D17: nothing is missing without a reason."""
    mail(sales, "Here")
    inbox = sales.folders.get(role="inbox")
    for uid in range(3):
        Skipped.objects.create(folder=inbox, generation=0, uid=uid, reason=Skipped.Reason.PERIOD)
    Skipped.objects.create(folder=inbox, generation=0, uid=9, reason=Skipped.Reason.LARGE)
    sales.folders.filter(role="sent").update(left=1_250)
    folder(sales, "Old", active=False)

    html = " ".join(page(ben, about(sales)).split())

    assert '<span class="num">3</span> before the period · <span class="num">1</span> too large' in html
    assert "1,250" in html
    assert "2 of 3 folders" in html
    assert "Every email the server lists" not in html


def test_when_everything_is_here_it_says_so(ben: User, sales: Account) -> None:
    mail(sales, "Here")

    assert "Every email the server lists in these folders is here" in page(ben, about(sales))


def test_what_could_not_be_read_is_listed_with_its_original(ben: User, sales: Account) -> None:
    odd = mail(sales, "Broken in an odd way", reading="unreadable")

    html = page(ben, about(sales))

    assert "Broken in an odd way" in html
    assert f"/messages/{odd.uuid}/original.eml" in html
    assert "Every email the server lists" not in html


def test_a_mailbox_is_known_to_those_who_read_in_it(ana: User, ben: User, cleo: User) -> None:
    own = account("ben@finch.example", owner=ben)
    for person, status in ((ben, 200), (cleo, 404), (ana, 404)):
        client = Client()
        client.force_login(person)
        assert client.get(about(own)).status_code == status


@pytest.mark.parametrize("folders", [1, 30])
def test_it_costs_the_same_whatever_the_number_of_folders(
    ben: User, sales: Account, folders: int, django_assert_max_num_queries: object
) -> None:
    for number in range(folders):
        mail(sales, f"Number {number}", reading="unreadable")
        folder(sales, f"Folder {number}")
    client = Client()
    client.force_login(ben)

    with django_assert_max_num_queries(24):  # type: ignore[operator]  # a context manager of pytest-django
        client.get(about(sales))


def test_while_it_syncs_the_page_asks_again(ben: User) -> None:
    new = account("new@finch.example", state="new")
    new.folders.filter(role="inbox").update(window=12_000, left=8_580)

    piece = page(ben, about(new), **{"HX-Request": "true"})

    assert "3,420 of 12,000" in piece
    assert 'hx-trigger="every 2s"' in piece
    assert "<html" not in piece


def test_a_refused_sign_in_says_the_cause_since_when_and_the_way_back(ana: User, ben: User, sales: Account) -> None:
    """S30; the way back is an administrator's."""
    refused(sales)
    inbox = f"/inbox/{sales.folders.get(role='inbox').uuid}/"

    for where in (inbox, about(sales)):
        html = page(ana, where)
        assert "The password was refused" in html
        assert "Mail you already have stays readable" in html
        assert "rapport account reconnect sales@finch.example --password-stdin" in html
        assert "only the password isn" not in html
        assert "rapport account reconnect" not in page(ben, where)
        assert "An administrator can bring it back" in page(ben, where)


def test_an_unreached_server_is_said_softly(ben: User, sales: Account) -> None:
    """D7: nobody has to do anything."""
    Account.objects.filter(pk=sales.pk).update(
        state="unreached",
        trouble="No answer from mail.example on port 993. A firewall may block this server.",
        trouble_since=now(),
        next_pass=now() + timedelta(minutes=8),
    )

    html = page(ben, f"/inbox/{sales.folders.get(role='inbox').uuid}/")

    assert 'role="status"' in html.split('id="over"')[1].split("</header>")[0]
    assert "Not reached since" in html
    assert "trying again at" in html
    assert "No answer from mail.example on port 993" in html
    assert "firewall" not in html


def test_an_empty_inbox_says_where_its_mail_went(ben: User, sales: Account) -> None:
    folder(sales, "Archive", role="archive")

    html = page(ben, f"/inbox/{sales.folders.get(role='inbox').uuid}/")

    assert "Nothing waits for you here" in html
    assert html.index(">Archive</a>") < html.index(">Sent</a>")


@pytest.mark.parametrize(
    ("minutes", "done", "words"),
    [
        (1, 1_000, "about 11 minutes left"),
        (1, 11_900, "less than a minute left"),
        (10, 600, "about 3 hours left"),
        (0, 500, ""),
        (5, 0, ""),
    ],
)
def test_what_is_left_is_told_from_the_pace_so_far(minutes: int, done: int, words: str) -> None:
    new = Account(state="new", connected_at=now() - timedelta(minutes=minutes))

    found = progress(new, (done, 12_000), 0)

    assert found.left_in_words == words
    assert found.running
