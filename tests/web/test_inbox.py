"""The list: what it shows, to whom, and at what price."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.timezone import now

from rapport.mail.models import Account, Folder
from rapport.people.models import User
from tests.web.letters import account, contact, folder, mail


@pytest.fixture
def sales(db: None) -> Account:
    """A shared mailbox."""
    return account("sales@finch.example")


def inbox(of: Account) -> Folder:
    return of.folders.get(role="inbox")


def page(user: User, where: str, **headers: str) -> str:
    client = Client()
    client.force_login(user)
    answer = client.get(where, headers=headers)
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()


def status(user: User, where: str) -> int:
    client = Client()
    client.force_login(user)
    return client.get(where).status_code


def test_with_no_mailbox_the_inbox_is_the_place_to_connect_one(ana: User, ben: User) -> None:
    assert reverse("connect", args=["shared"]) in page(ana, "/inbox/")

    html = page(ben, "/inbox/")

    assert reverse("connect", args=["personal"]) in html
    assert reverse("connect", args=["shared"]) not in html


def test_a_row_says_who_what_and_when(ben: User, sales: Account) -> None:
    mail(sales, "Ceiling baffles", sender=("Ines", "ines@lumen.example"), unread=True, flagged=True)

    html = page(ben, reverse("folder", args=[inbox(sales).uuid]))

    assert "Unread. Ines, Ceiling baffles, " in html
    assert 'aria-label="Starred"' in html
    assert "Today" in html


def test_a_stranger_finds_nothing_of_a_personal_mailbox(ana: User, cleo: User) -> None:
    own = account("ana@finch.example", owner=ana)
    message = mail(own, "canary-4711", sender=("Canary", "canary@x.example"), unread=True)
    doors = [
        reverse("folder", args=[inbox(own).uuid]),
        reverse("thread", args=[message.thread.uuid]),
        reverse("thread-in", args=[inbox(own).uuid, message.thread.uuid]),
        reverse("row", args=[message.thread.uuid]),
        reverse("row-in", args=[inbox(own).uuid, message.thread.uuid]),
        reverse("message", args=[message.uuid]),
        reverse("message-body", args=[message.uuid]),
        reverse("message-original", args=[message.uuid]),
        reverse("sidebar") + f"?folder={inbox(own).uuid}",
    ]

    assert [status(cleo, door) for door in doors] == [404] * len(doors)
    assert "canary" not in page(cleo, "/inbox/").lower()
    assert "ana@finch" not in page(cleo, "/inbox/")
    assert "canary-4711" in page(ana, "/inbox/")


def test_an_administrator_is_not_a_reader(ana: User, ben: User) -> None:
    own = account("ben@finch.example", owner=ben)
    message = mail(own, "Private")

    assert status(ana, reverse("thread", args=[message.thread.uuid])) == 404


def test_fifty_rows_a_page_and_the_next_one_does_not_say_the_day_twice(ben: User, sales: Account) -> None:
    noon = now().replace(hour=12) - timedelta(days=30)
    for number in range(60):
        mail(sales, f"Number {number}.", at=noon - timedelta(minutes=number))
    where = reverse("folder", args=[inbox(sales).uuid])

    first = page(ben, where)
    link = first.split('id="next-page" href="')[1].split('"')[0].replace("&amp;", "&")
    second = page(ben, link, **{"HX-Request": "true", "HX-Target": "next-page"})

    assert first.count('role="row"') == 50
    assert second.count('role="row"') == 10
    assert "Number 49." in first
    assert "Number 50." in second
    assert 'class="day"' not in second
    assert 'id="next-page"' not in second
    assert "<html" in page(ben, link), "without JavaScript the link is a page"


def test_the_unread_tab_keeps_its_filter_in_every_link(ben: User, sales: Account) -> None:
    mail(sales, "Seen before")
    unread = mail(sales, "Not seen", unread=True)
    where = reverse("folder", args=[inbox(sales).uuid]) + "?unread=1"

    html = page(ben, where)

    assert "Seen before" not in html
    assert reverse("thread-in", args=[inbox(sales).uuid, unread.thread.uuid]) + "?unread=1" in html


def test_a_row_that_left_the_list_is_answered_with_nothing(ben: User, sales: Account) -> None:
    other = folder(sales, "Quotes")
    message = mail(sales, "Here")

    assert status(ben, reverse("row-in", args=[inbox(sales).uuid, message.thread.uuid])) == 200
    assert status(ben, reverse("row-in", args=[other.uuid, message.thread.uuid])) == 204


def test_the_sidebar_tells_the_state_of_every_mailbox(ben: User, sales: Account) -> None:
    account("tenders@finch.example", state="refused")
    account("slow@finch.example", state="unreached")
    new = account("new@finch.example", state="new")
    new.folders.filter(role="inbox").update(window=12_000, left=11_999)
    mail(sales, "Unread", unread=True)

    html = page(ben, reverse("sidebar"))

    assert "Sign in" in html
    assert "Not reached" in html
    assert "1 of 12,000" in html
    assert "finch.example" in page(ben, "/inbox/")


def test_only_an_administrator_is_offered_a_shared_mailbox(ana: User, ben: User, sales: Account) -> None:
    link = reverse("connect", args=["shared"])

    assert link in page(ana, reverse("sidebar"))
    assert link not in page(ben, reverse("sidebar"))


def test_text_from_mail_stays_text(ben: User, sales: Account) -> None:
    evil = '"><img src=x onerror=alert(1)> hx-get="/x" {{ 7 }}'
    known = contact(evil, "evil@x.example")
    message = mail(sales, evil, sender=(evil, "evil@x.example"), text=evil, about=[known])

    html = page(ben, reverse("thread-in", args=[inbox(sales).uuid, message.thread.uuid]))

    assert "<img src=x" not in html


@pytest.mark.parametrize("rows", [3, 40])
def test_a_list_costs_the_same_whatever_its_length(
    ben: User, sales: Account, rows: int, django_assert_max_num_queries: object
) -> None:
    for number in range(rows):
        known = contact(f"Person {number}", f"p{number}@x.example")
        mail(sales, f"Mail {number}", sender=("", f"p{number}@x.example"), about=[known])
    client = Client()
    client.force_login(ben)

    with django_assert_max_num_queries(28):  # type: ignore[operator]  # a context manager of pytest-django
        answer = client.get(reverse("folder", args=[inbox(sales).uuid]))

    assert answer.content.count(b'role="row"') == rows
