"""Two workers at once, each on its own connection (READ COMMITTED): nothing twice, nothing lost, nobody stuck."""

from itertools import count

import pytest
from django.db import transaction

from rapport.blobs import keep
from rapport.connect import remove
from rapport.crm import verbs as crm
from rapport.crm.models import Contact, ContactAddress
from rapport.events import models as events
from rapport.events.models import Event
from rapport.links.models import Link
from rapport.mail.models import Account, Folder, Message
from rapport.mime.parse import parse
from rapport.providers.contract import RemoteMeta
from rapport.sync import hold, intake
from rapport.sync.hold import Hold
from rapport.sync.incoming import Arrived
from rapport.work.models import Due, ask
from tests.database.on_postgresql.conftest import Others
from tests.world import NOON, a_folder, a_letter, an_account

UIDS = count(1)


def arrived(raw: bytes) -> Arrived:
    return Arrived(RemoteMeta(next(UIDS), frozenset(), NOON, len(raw)), keep.put(raw), len(raw), parse(raw))


def store(folder: Folder, claim: Hold, *letters: bytes) -> None:
    """As a pass does it, on whatever connection this thread has."""
    fresh = Folder.objects.select_related("account").get(pk=folder.pk)
    batch = [arrived(raw) for raw in letters]
    intake.store(fresh, batch, {}, {one.meta.uid: one.meta for one in batch}, claim)


def held(account: Account) -> Hold:
    claim = hold.take(Account.objects.get(pk=account.pk))
    assert claim is not None
    return claim


def test_a_worker_that_lost_its_hold_commits_nothing(others: Others) -> None:
    """I11: it paused, another took over; what it had in hand is void, bookmark and all."""
    inbox = a_folder(an_account())
    Folder.objects.update(pending="1:9", left=9)
    sleeper = held(inbox.account)
    Account.objects.update(held_until=NOON)
    other = others.do(lambda: held(inbox.account)).result()

    with pytest.raises(hold.Lost):
        store(inbox, sleeper, a_letter(subject="void"))

    assert not Message.objects.exists()
    assert Folder.objects.get().pending == "1:9"
    others.do(lambda: store(inbox, other, a_letter(subject="good"))).result()
    assert Message.objects.get().subject == "good"


def test_who_takes_over_during_a_commit_comes_too_late(others: Others) -> None:
    """I11: the claim had lapsed, and its holder is just committing; the row decides, not what was read before."""
    inbox = a_folder(an_account())
    sleeper = held(inbox.account)
    Account.objects.update(held_until=NOON)
    sleeper.until = NOON

    with transaction.atomic():
        store(inbox, sleeper, a_letter())
        thief = others.do(lambda: hold.take(Account.objects.get()))
        others.until_one_waits()

    assert thief.result() is None
    assert Message.objects.count() == 1
    assert Account.objects.get().held_until == sleeper.until


def test_two_workers_making_the_same_contact_make_one(others: Others) -> None:
    """D5: the second waits for the first, finds the contact there, and links it."""
    first, second = (
        a_folder(an_account(address, create_contacts=True)) for address in ("a@rapport.test", "b@rapport.test")
    )
    mine, theirs = held(first.account), held(second.account)
    letters = [a_letter("Inês <ines@lumen.test>", subject=subject) for subject in ("one", "two")]

    with transaction.atomic():
        store(first, mine, letters[0])
        late = others.do(lambda: store(second, theirs, letters[1]))
        others.until_one_waits()
    late.result()

    contact = Contact.objects.get()
    assert ContactAddress.objects.get().contact == contact
    assert set(Link.objects.values_list("message__subject", "contact")) == {("one", contact.pk), ("two", contact.pk)}


def test_events_are_seen_in_the_order_of_their_numbers(others: Others) -> None:
    """A page asks for what came after the last number it heard: a smaller one must never appear later."""
    with transaction.atomic():
        early = Event.objects.create(kind=Event.Kind.CONTACT, about=1)
        other = others.do(lambda: Event.objects.create(kind=Event.Kind.CONTACT, about=2))
        others.until_one_waits()
        assert others.do(events.newest).result() == 0
    late = other.result()

    assert [event.pk for event in events.after(0, 10)] == [early.pk, late.pk]
    assert early.pk < late.pk


def test_work_is_taken_by_one(others: Others) -> None:
    ask("relink", 1)
    first, second = Due.objects.get(), Due.objects.get()

    with transaction.atomic():
        assert first.take()
        other = others.do(second.take)
        others.until_one_waits()

    assert other.result() is False


def test_many_at_once_do_not_block_each_other_for_ever(others: Others) -> None:
    """Accounts that hear from the same people, and somebody who adds contacts meanwhile: no deadlock, nothing twice."""
    people = [f"person{number}@lumen.test" for number in range(6)]
    accounts = [an_account(f"{name}@rapport.test", create_contacts=True) for name in "abc"]

    def engine(account: Account) -> None:
        folder, claim = a_folder(account), held(account)
        for turn in range(10):
            senders = people[turn % 6 :] + people[: turn % 6]
            store(folder, claim, *(a_letter(f"{one} <{one}>", subject=f"{turn}") for one in senders))

    def person() -> None:
        for turn in range(10):
            crm.add_contact(f"Guest {turn}", [f"guest{turn}@firm{turn}.test"], by=None, company=f"Firm {turn}")

    began = [others.do(person), *(others.do(lambda account=account: engine(account)) for account in accounts)]  # type: ignore[misc]  # bound now
    for one in began:
        one.result()

    assert Message.objects.count() == 3 * 10 * 6
    assert sorted(ContactAddress.objects.filter(address__in=people).values_list("address", flat=True)) == people
    assert Link.objects.filter(contact__addresses__address__in=people).count() == 3 * 10 * 6


def test_mail_and_a_contact_made_at_the_same_moment_find_each_other(others: Others) -> None:
    """D6: neither transaction sees the other, so the second waits for the first."""
    making, reading = an_account("a@rapport.test", create_contacts=True), an_account("b@rapport.test")
    first, second = a_folder(making), a_folder(reading)
    mine, theirs = held(making), held(reading)

    with transaction.atomic():
        store(first, mine, a_letter("ines@lumen.test", subject="one"))
        late = others.do(lambda: store(second, theirs, a_letter("ines@lumen.test", subject="two")))
        others.until_one_waits()
    late.result()

    assert set(Link.objects.values_list("message__subject", flat=True)) == {"one", "two"}


def test_somebody_adds_a_contact_that_mail_just_makes(others: Others) -> None:
    """The person is told that it is there, as if it had been there before."""
    account = an_account(create_contacts=True)
    inbox, claim = a_folder(account), held(account)

    with transaction.atomic():
        store(inbox, claim, a_letter("ines@lumen.test"))
        late = others.do(lambda: crm.add_contact("Inês", ["ines@lumen.test"], by=None))
        others.until_one_waits()

    with pytest.raises(crm.AlreadyThere):
        late.result()
    assert Contact.objects.count() == 1


def test_an_account_that_a_worker_takes_while_it_is_deleted(others: Others) -> None:
    """D11: it goes as a whole; whoever wants it meanwhile finds nothing."""
    account = an_account()
    inbox, claim = a_folder(account), held(account)
    store(inbox, claim, a_letter())
    claim.release()

    with transaction.atomic():
        remove.account(account)
        worker = others.do(lambda: hold.take(account))
        others.until_one_waits()

    assert worker.result() is None
    assert not Account.objects.exists()
    assert not Message.objects.exists()


def test_an_account_that_is_held_is_not_deleted(others: Others) -> None:
    account = an_account()
    began = Account.objects.get()

    with transaction.atomic():
        assert hold.take(account) is not None
        late = others.do(lambda: remove.account(began))
        others.until_one_waits()

    with pytest.raises(remove.InUse):
        late.result()
    assert Account.objects.exists()
