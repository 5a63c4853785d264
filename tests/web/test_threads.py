"""A conversation: read whole, shown safely, never marked by being read."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.timezone import now

from rapport.mail.models import Account, Attachment, Body, Message, Placement, Thread
from rapport.mime.message import Delivery, Invitation, Report
from rapport.people.models import User
from tests.web.letters import account, contact, mail
from tests.web.test_inbox import page, status

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20
RAW = (
    b"Subject: file\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    b"--b\r\nContent-Type: text/plain\r\n\r\nhi\r\n"
    b"--b\r\nContent-Type: image/svg+xml; name=a.svg\r\nContent-Disposition: attachment\r\n\r\n<svg/>\r\n--b--\r\n"
)


@pytest.fixture
def sales(db: None) -> Account:
    """A shared mailbox."""
    return account("sales@finch.example")


def opened(thread: Thread) -> str:
    return reverse("thread", args=[thread.uuid])


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_reading_a_conversation_leaves_it_unread(ben: User, sales: Account) -> None:
    message = mail(sales, unread=True)

    page(ben, opened(message.thread))
    page(ben, reverse("message-body", args=[message.uuid]))

    assert not Placement.objects.get(message=message).seen


def test_the_newest_and_the_unread_are_unfolded_and_the_middle_waits(ben: User, sales: Account) -> None:
    thread = Thread.objects.create(account=sales)
    start = now() - timedelta(days=9)
    for day in range(9):
        mail(sales, thread=thread, at=start + timedelta(days=day), text=f"Day {day}", unread=day == 4)

    html = page(ben, opened(thread))

    assert html.count("<iframe") == 2
    assert html.count('class="msg shut') == 7
    assert "Show 3 earlier messages" in html
    assert "Show 2 earlier messages" in html
    assert html.index("Day 0") < html.index("Day 7")


def test_a_conversation_costs_the_same_whatever_its_length(
    ben: User, sales: Account, django_assert_num_queries: object
) -> None:
    known = contact("Ines", "ines@lumen.example")
    short, long = (Thread.objects.create(account=sales) for _ in range(2))
    for thread, length in ((short, 2), (long, 30)):
        for minutes in range(length):
            at = now() - timedelta(minutes=minutes + 1)
            mail(sales, thread=thread, at=at, about=[known], files=[("a.pdf", "application/pdf", b"x")])
    client = signed_in(ben)
    asked = {"HX-Request": "true", "HX-Target": "reader"}

    for thread in (short, long):
        with django_assert_num_queries(18):  # type: ignore[operator]  # a context manager of pytest-django
            answer = client.get(opened(thread), headers=asked)
        assert b"Recent emails" in answer.content


def test_htmx_gets_the_reading_pane_and_the_panel_alone(ben: User, sales: Account) -> None:
    message = mail(sales, "Only this")

    html = page(ben, opened(message.thread), **{"HX-Request": "true", "HX-Target": "reader"})

    assert html.lstrip().startswith("<section")
    assert 'id="context"' in html
    assert 'hx-swap-oob="true"' in html
    assert "<html" not in html


def test_going_back_by_the_browser_is_a_whole_page(ben: User, sales: Account) -> None:
    message = mail(sales)
    asked = {"HX-Request": "true", "HX-Target": "reader", "HX-History-Restore-Request": "true"}

    assert "<html" in page(ben, opened(message.thread), **asked)


def test_the_text_is_a_document_that_can_do_nothing(ben: User, sales: Account) -> None:
    html = '<p onclick="x()">Hi<script>alert(1)</script><img src="https://t.example/p.gif"></p>'
    message = mail(sales, html=html)
    client = signed_in(ben)

    answer = client.get(reverse("message-body", args=[message.uuid]))
    again = client.get(reverse("message-body", args=[message.uuid]), headers={"If-None-Match": answer.headers["ETag"]})

    policy = answer.headers["Content-Security-Policy"]
    assert "sandbox" in policy
    assert "default-src 'none'" in policy
    assert "allow-scripts" not in policy
    assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert "private" in answer.headers["Cache-Control"]
    assert b"<script" not in answer.content
    assert b"t.example" not in answer.content
    assert again.status_code == 304
    assert again.headers["Content-Security-Policy"] == policy
    assert "Remote images are blocked (1)" in page(ben, opened(message.thread))


def test_a_file_is_only_ever_downloaded(ben: User, sales: Account) -> None:
    message = mail(sales, raw=RAW, files=[("ä \u202e.svg", "image/svg+xml", b"<svg/>")])
    file = Attachment.objects.get(message=message)
    Attachment.objects.filter(pk=file.pk).update(position=2)

    answer = signed_in(ben).get(reverse("file", args=[file.uuid]))

    assert answer.content == b"<svg/>"
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert "filename*=UTF-8''%C3%A4" in answer.headers["Content-Disposition"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert status(ben, reverse("picture", args=[file.uuid])) == 404, "an SVG is no picture"


def test_what_only_claims_to_be_a_picture_is_none(ben: User, sales: Account) -> None:
    raw = RAW.replace(b"<svg/>", PNG).replace(b"image/svg+xml", b"text/html")
    for content, expected in ((raw, 200), (RAW, 404)):
        message = mail(sales, raw=content, pictures=[("logo@x", "image/png", PNG)])
        picture = Attachment.objects.get(message=message)
        Attachment.objects.filter(pk=picture.pk).update(position=2)

        assert status(ben, reverse("picture", args=[picture.uuid])) == expected


def test_what_could_not_be_read_says_so_and_gives_the_original(ben: User, sales: Account) -> None:
    partly = mail(sales, reading="partly", partly=["a part had no end"])
    unreadable = mail(sales, reading="unreadable", text="")
    sealed = mail(sales, sealed="encrypted", text="")

    assert "a part had no end" in page(ben, opened(partly.thread))
    assert "This email is encrypted" in page(ben, opened(sealed.thread))
    html = page(ben, opened(unreadable.thread))
    assert "could not be read" in html
    assert "<iframe" not in html
    assert reverse("message-original", args=[unreadable.uuid]) in html


def test_the_original_is_the_bytes_themselves(ben: User, sales: Account) -> None:
    message = mail(sales, raw=RAW)

    answer = signed_in(ben).get(reverse("message-original", args=[message.uuid]))

    assert answer.content == RAW
    assert answer.headers["Content-Disposition"].startswith("attachment;")


def test_each_record_is_there_once_with_its_reason(ben: User, sales: Account) -> None:
    known = contact("Ines Carvalho", "ines@lumen.example")
    thread = Thread.objects.create(account=sales)
    mail(sales, thread=thread, about=[known])
    mail(sales, thread=thread, about=[known])

    html = page(ben, opened(thread))

    assert html.count("Contact · matched by address") == 1


@pytest.fixture
def colleagues(ana: User) -> Message:
    """An email in Ana's own mailbox, on a contact that everybody sees."""
    own = account("ana@finch.example", owner=ana)
    known = contact("Ines Carvalho", "ines@lumen.example")
    return mail(
        own, "Parking", about=[known], bcc=[("Hidden", "hidden@x.example")], raw=b"Bcc: hidden@x.example\r\n\r\nhi"
    )


def test_a_colleagues_email_is_readable_by_itself_where_a_contact_shows_it(ben: User, colleagues: Message) -> None:
    html = page(ben, reverse("message", args=[colleagues.uuid]))

    assert "Parking" in html
    assert "Ana’s personal mailbox" in html
    assert "because you can see" in html
    assert status(ben, opened(colleagues.thread)) == 404


def test_nothing_of_a_colleagues_own_copy_shows_through(ana: User, ben: User, colleagues: Message) -> None:
    assert "hidden@x.example" not in page(ben, reverse("message", args=[colleagues.uuid]))
    assert status(ben, reverse("message-original", args=[colleagues.uuid])) == 404
    assert "hidden@x.example" in page(ana, opened(colleagues.thread))


def test_the_address_of_a_joined_thread_leads_to_the_one_it_joined(ben: User, sales: Account) -> None:
    message = mail(sales)
    old = Thread.objects.create(account=sales, joined_to=message.thread)

    answer = signed_in(ben).get(opened(old))

    assert answer.headers["Location"] == opened(message.thread)


def test_an_email_of_mine_is_shown_in_its_conversation(ben: User, sales: Account) -> None:
    message = mail(sales)

    answer = signed_in(ben).get(reverse("message", args=[message.uuid]))

    assert answer.headers["Location"] == f"{opened(message.thread)}?open={message.uuid}#m-{message.uuid}"


def test_an_invitation_is_a_card_and_a_file_that_is_an_email_says_whose(ben: User, sales: Account) -> None:
    message = mail(sales, "Site visit", files=[("mail.eml", "message/rfc822", b"x")])
    message.attachments.update(subject="Parking", author="Rita Fontes")
    told = Invitation("REQUEST", "Site visit", datetime(2026, 11, 24, 10, tzinfo=UTC), location="Lisbon, floor 3")
    Body.objects.filter(message=message).update(
        invitation={**asdict(told), "start": "2026-11-24T10:00:00+00:00", "end": None}
    )

    html = page(ben, reverse("thread", args=[message.thread.uuid]))

    assert 'aria-label="Invitation"' in html
    assert "Tuesday 24 November 2026, 10:00" in html
    assert "Lisbon, floor 3" in html
    assert "<b>Parking</b><span>Rita Fontes · 1 byte</span>" in html


def test_a_report_leads_to_the_email_it_is_about(ben: User, sales: Account) -> None:
    ours = mail(sales, "Samples shipped", sender=("Sales", sales.address), where="sent")
    message = mail(sales, "Undeliverable")
    told = Report("dsn", (Delivery("kwame@osei.test", "failed", "5.1.1", "User unknown"),), ours.message_id)
    Body.objects.filter(message=message).update(report=asdict(told))

    html = page(ben, reverse("thread", args=[message.thread.uuid]))

    assert "Not delivered to kwame@osei.test" in html
    assert "5.1.1 User unknown" in html
    assert f'<a href="/messages/{ours.uuid}">Samples shipped</a>' in html


def test_what_is_sealed_says_with_what(ben: User, sales: Account) -> None:
    signed = mail(sales, "Signed", sealed="signed", sealed_by="PGP")
    closed = mail(sales, "Closed", sealed="encrypted", sealed_by="S/MIME")

    assert "Signed with PGP" in page(ben, reverse("thread", args=[signed.thread.uuid]))
    html = page(ben, reverse("thread", args=[closed.thread.uuid]))
    assert "encrypted with S/MIME" in html
    assert "<iframe" not in html
