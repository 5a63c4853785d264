"""Rows written past the ORM are what the ORM would have written and reads back, on both databases."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rapport.database import rows
from rapport.events.models import Event
from rapport.mail.models import Account, Body, Folder, Message, Placement, Thread
from tests.world import NOON, a_folder, an_account

# What mime lets through: no NUL, no lone surrogates.
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=200)
MOMENTS = st.datetimes(
    datetime(2, 1, 1), datetime(9998, 12, 31), timezones=st.sampled_from([UTC, timezone(timedelta(hours=-14))])
)


@pytest.fixture
def account(db: None) -> Account:
    return an_account()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
@given(st.data())
def test_every_kind_of_value_comes_back_as_it_was(account: Account, data: st.DataObject) -> None:
    """UUIDs, moments with their zone, JSON, flags, numbers up to the largest, and every letter there is."""
    words = st.lists(TEXT, max_size=3)
    plain = Message()
    told: dict[str, Any] = {field.attname: getattr(plain, field.attname) for field in Message._meta.concrete_fields}
    told |= {
        "uuid": uuid4(),
        "account_id": account.pk,
        "thread_id": Thread.objects.create(account=account).pk,
        "sha256": uuid4().hex,
        "size": data.draw(st.integers(0, 2**63 - 1)),
        "internal_date": data.draw(MOMENTS),
        "date": data.draw(st.none() | MOMENTS),
        "message_id": data.draw(TEXT),
        "references": data.draw(words),
        "subject": data.draw(TEXT),
        "from_name": data.draw(TEXT),
        "from_address": data.draw(TEXT),
        "snippet": data.draw(TEXT),
        "files": data.draw(st.integers(0, 2**31 - 1)),
        "incoming": data.draw(st.booleans()),
        "automatic": data.draw(st.booleans()),
        "sealed": "pgp",
        "reading": Message.Reading.PARTLY,
        "partly": data.draw(words),
        "parser": 3,
        "arrived_at": NOON,
        "gone_since": None,
    }
    with transaction.atomic():
        (told["id"],) = rows.reserve(Message, 1)
        rows.insert(Message, list(told), [list(told.values())])

    found = Message.objects.get(pk=told["id"])

    assert {name: getattr(found, name) for name in told} == told
    assert isinstance(found.uuid, UUID)


def test_what_is_left_out_gets_its_default_from_nobody(account: Account) -> None:
    with pytest.raises(ValueError, match="Placement needs"):
        rows.insert(Placement, ("uid",), [(1,)])


def test_reserved_keys_grow_and_are_nobody_elses(account: Account) -> None:
    with transaction.atomic():
        keys = rows.reserve(Thread, 3)
        rows.insert(Thread, ("id", "uuid", "account_id"), [(key, uuid4(), account.pk) for key in keys])
        other = Thread.objects.create(account=account)
        more = rows.reserve(Thread, 2)

    every = [*keys, other.pk, *more]
    assert every == sorted(set(every))
    assert set(Thread.objects.values_list("pk", flat=True)) == {*keys, other.pk}


def test_the_same_place_twice_in_one_batch_is_the_later_one(account: Account) -> None:
    """A server may say one UID twice; PostgreSQL refuses to touch a row twice in one statement."""
    inbox = a_folder(account)
    message = Message.objects.create(
        account=account, thread=Thread.objects.create(account=account), sha256="1", size=1, internal_date=NOON
    )
    names = ("folder_id", "generation", "message_id", "uid", "flags", "seen", "flagged", "draft")
    for flags in (["\\Seen"], ["\\Answered"]):
        batch = [
            (inbox.pk, 0, message.pk, 7, [], False, False, False),
            (inbox.pk, 0, message.pk, 7, flags, True, False, False),
        ]
        rows.insert(Placement, names, batch, update_on=("folder_id", "generation", "uid"))

    assert Placement.objects.values_list("uid", "flags", "seen").get() == (7, ["\\Answered"], True)


def test_many_rows_and_none(account: Account) -> None:
    rows.insert(Event, ("kind", "about", "arrived", "at"), [])
    rows.insert(
        Event,
        ("kind", "about", "arrived", "at"),
        ((Event.Kind.THREAD, number, False, NOON) for number in range(rows.AT_ONCE + 1)),
    )

    assert Event.objects.filter(kind="thread", at=NOON).count() == rows.AT_ONCE + 1
    assert list(Event.objects.order_by("pk").values_list("about", flat=True)[:3]) == [0, 1, 2]


def test_long_lists_can_be_asked_for(account: Account) -> None:
    """Both databases take more keys in one question than any batch of ours has."""
    a_folder(account)

    assert Folder.objects.filter(pk__in=range(5_000)).count() <= 1
    assert Body.objects.filter(message__in=range(5_000)).count() == 0
    assert connection.vendor in {"sqlite", "postgresql"}
