"""The stream: only what its reader may see, and only as long as they may."""

from collections.abc import Sequence

import pytest
from django.test import AsyncClient, Client

from rapport.events import models as events
from rapport.events.models import Event
from rapport.mail.models import Account
from rapport.people.models import User
from rapport.web import live
from tests.web.letters import account, contact, mail


def happened(kind: str, about: int, *, of: Account | None = None, arrived: bool = False) -> Event:
    return Event.objects.create(kind=kind, about=about, account=of.pk if of else None, arrived=arrived)


def told(user: User, events: Sequence[Event]) -> str:
    return "".join(live.heard(user, events))


def listener(user: User, *, last: int | None) -> live.Listener:
    client = Client()
    client.force_login(user)
    return live.Listener(session=client.session.session_key or "", last=last)


def test_everybody_hears_of_shared_mail_and_only_its_owner_of_his_own(ana: User, ben: User, cleo: User) -> None:
    shared, own = account("sales@finch.example"), account("ben@finch.example", owner=ben)
    there, here = mail(shared).thread, mail(own).thread
    events = [
        happened("thread", there.pk, of=shared, arrived=True),
        happened("thread", here.pk, of=own),
        happened("account", own.pk, of=own),
    ]

    assert f"data: {there.uuid} arrived" in told(cleo, events)
    assert str(here.uuid) not in told(cleo, events)
    assert str(own.uuid) not in told(ana, events)
    assert f"data: {here.uuid} changed" in told(ben, events)
    assert f"event: account\ndata: {own.uuid}" in told(ben, events)


def test_a_private_contact_is_heard_of_by_one_alone(ben: User, cleo: User) -> None:
    private = contact("Secret", "s@x.example", seen_by=ben)
    events = [happened("contact", private.pk)]

    assert str(private.uuid) in told(ben, events)
    assert told(cleo, events) == ""


def test_a_thing_that_changed_often_is_said_once_with_its_last_number(ben: User) -> None:
    shared = account("sales@finch.example")
    thread = mail(shared).thread
    events = [happened("thread", thread.pk, of=shared, arrived=n == 0) for n in range(5)]

    assert live.heard(ben, events) == [f"id: {events[-1].pk}\nevent: thread\ndata: {thread.uuid} arrived\n\n"]


def test_an_event_says_no_word_of_content(ben: User) -> None:
    shared = account("sales@finch.example")
    thread = mail(shared, "canary-4711", sender=("Canary", "canary@x.example")).thread

    assert "canary" not in told(ben, [happened("thread", thread.pk, of=shared)]).lower()


def test_who_is_deactivated_or_signed_out_hears_nothing_more(ben: User, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str | None] = []
    ears = listener(ben, last=0)
    monkeypatch.setattr(ears, "tell", said.append)
    live._ask_again(ears)
    assert ears.user == ben

    User.objects.filter(pk=ben.pk).update(is_active=False)
    live._ask_again(ears)

    assert said == [None]


def test_who_was_away_long_looks_at_everything_again(ben: User, monkeypatch: pytest.MonkeyPatch) -> None:
    shared = account("sales@finch.example")
    Event.objects.bulk_create(Event(kind="account", about=shared.pk, account=shared.pk) for _ in range(live.MANY + 1))
    said: list[str | None] = []
    ears = listener(ben, last=0)
    monkeypatch.setattr(ears, "tell", said.append)

    live._catch_up(ears, ben)

    assert said == [f"id: {events.newest()}\nevent: all\ndata: again\n\n"]


def test_a_page_of_another_site_gets_no_stream(ben: User) -> None:
    client = Client()
    client.force_login(ben)

    assert client.get("/live", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403


def test_a_stranger_gets_no_stream(db: None) -> None:
    assert Client().get("/live").status_code == 302


@pytest.mark.django_db(transaction=True)
def test_the_stream_is_one_that_nobody_keeps(ben: User) -> None:
    client = AsyncClient()
    client.force_login(ben)

    answer = Client(headers={"Cookie": client.cookies.output(header="", sep=";")}).head("/live")

    assert answer.status_code == 405
