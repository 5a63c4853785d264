"""Who may see what: Ana owns, Ben is on the team, Cleo is a stranger to Ana's personal mailbox."""

from uuid import uuid4

import pytest
from django.http import Http404

from rapport import access
from rapport.crm import verbs
from rapport.mail.models import Account, Message, Skipped
from rapport.people.models import User
from tests.world import a_folder, a_letter, an_account, arrives


@pytest.fixture
def shared(db: None) -> Account:
    return an_account()


@pytest.fixture
def personal(ben: User) -> Account:
    """Ben's own. Ana is the administrator: even she does not read it (S8)."""
    return an_account("ben@rapport.test", owner=ben)


def test_a_shared_mailbox_is_everybodys(shared: Account, ana: User, ben: User, cleo: User) -> None:
    (message,) = arrives(a_folder(shared), a_letter())

    for person in (ana, ben, cleo):
        assert access.account(person, shared.uuid) == shared
        assert access.thread(person, message.thread.uuid) == message.thread
        assert access.message(person, message.uuid) == message


def test_a_personal_mailbox_is_its_owners_alone(personal: Account, ana: User, ben: User, cleo: User) -> None:
    """S8: nobody else views it, administrators included; and what is not there and what is not yours look the same."""
    inbox = a_folder(personal)
    (message,) = arrives(inbox, a_letter(to=ben.address))

    assert access.message(ben, message.uuid) == message
    for person in (ana, cleo):
        doors = (access.account, personal.uuid), (access.folder, inbox.uuid), (access.thread, message.thread.uuid)
        for door, uuid in (*doors, (access.message, message.uuid), (access.message, uuid4())):
            with pytest.raises(Http404):
                door(person, uuid)
        assert not access.messages(person).exists()
        assert not access.threads(person).exists()


def test_an_email_on_a_contact_others_see_is_seen_there(personal: Account, ana: User, ben: User, cleo: User) -> None:
    """S9: on the record it may be read; the conversation and the mailbox stay closed (S10)."""
    verbs.add_contact("Inês Carvalho", ["ines@lumen.test"], by=ana)
    on_record, other = arrives(a_folder(personal), a_letter(to=ben.address), a_letter("mum@home.test", to=ben.address))

    assert access.message(cleo, on_record.uuid) == on_record
    with pytest.raises(Http404):
        access.message(cleo, other.uuid)
    with pytest.raises(Http404):
        access.thread(cleo, on_record.thread.uuid)


def test_what_is_not_here_is_told_to_those_who_read_there(personal: Account, ana: User, ben: User) -> None:
    """D17: what was left out and what could not be read, with the reasons of today, not of a rebuilt folder."""
    inbox = a_folder(personal)
    (message,) = arrives(inbox, a_letter(to=ben.address))
    Message.objects.filter(pk=message.pk).update(reading=Message.Reading.UNREADABLE)
    left_out = Skipped.objects.create(folder=inbox, generation=0, uid=90, reason=Skipped.Reason.LARGE)
    Skipped.objects.create(folder=inbox, generation=7, uid=90, reason=Skipped.Reason.LARGE)

    assert list(access.skipped(ben, personal)) == [left_out]
    assert list(access.unreadable(ben, personal)) == [message]
    assert not access.skipped(ana, personal).exists()
    assert not access.unreadable(ana, personal).exists()


def test_a_contact_the_machine_made_opens_nothing(ben: User, cleo: User) -> None:
    """D9: made out of Ben's personal mail, it is Ben's alone until he shares it; then S9 holds."""
    mine = an_account("ben@rapport.test", owner=ben, create_contacts=True)
    (message,) = arrives(a_folder(mine), a_letter(to=ben.address))
    contact = access.contacts(ben).get()

    with pytest.raises(Http404):
        access.contact(cleo, contact.uuid)
    with pytest.raises(Http404):
        access.message(cleo, message.uuid)

    verbs.share_contact(contact, by=ben)

    assert access.contact(cleo, contact.uuid) == contact
    assert access.message(cleo, message.uuid) == message


def test_links_to_a_private_contact_are_not_told(shared: Account, ana: User, ben: User) -> None:
    mine = an_account("ben@rapport.test", owner=ben, create_contacts=True)
    (message,) = arrives(a_folder(mine), a_letter(to=ben.address))

    assert access.links(ben, message.thread).exists()
    assert not access.links(ana, message.thread).exists()


def test_only_administrators_connect_shared_mailboxes(ana: User, ben: User) -> None:
    """S7."""
    assert access.may_connect_shared(ana)
    assert not access.may_connect_shared(ben)
