"""Associating when an email arrives, and when a record changes."""

import pytest
from django.db import IntegrityError, transaction

from rapport.crm import verbs
from rapport.crm.models import Contact
from rapport.links import find, newcomers
from rapport.links.models import Link
from rapport.people.models import User
from rapport.sync import worker
from tests.world import a_folder, a_letter, an_account, arrives


def _reasons() -> set[tuple[str, str]]:
    rows = Link.objects.select_related("contact", "company")
    return {((link.contact or link.company).name, link.reason) for link in rows}  # type: ignore[union-attr]  # one is set


def test_an_email_finds_its_contact_and_company_and_says_why(ana: User) -> None:
    verbs.add_company("Lumen Studio", ["lumen.test"], by=ana)
    verbs.add_contact("Inês Carvalho", ["ines@lumen.test"], by=ana)
    verbs.add_contact("Paulo Nunes", ["paulo@elsewhere.test"], by=ana)

    arrives(a_folder(an_account()), a_letter("INES@Lumen.test", cc="paulo@elsewhere.test"))

    assert _reasons() == {
        ("Inês Carvalho", "matched by address"),
        ("Lumen Studio", "through a contact"),
        ("Paulo Nunes", "in cc"),
    }


def test_a_contact_added_later_finds_its_older_emails(ana: User) -> None:
    """D6."""
    arrives(a_folder(an_account()), a_letter(), a_letter())
    contact = verbs.add_contact("Inês Carvalho", ["ines@lumen.test"], by=ana)

    worker.relink_contact(contact.pk)
    worker.relink_contact(contact.pk)

    assert contact.links.count() == 2


def test_a_changed_address_lets_go_and_finds_anew(ana: User) -> None:
    contact = verbs.add_contact("Inês Carvalho", ["ines@lumen.test"], by=ana)
    arrives(a_folder(an_account()), a_letter("ines@lumen.test"), a_letter("ines@home.test", subject="private"))

    contact.addresses.update(address="ines@home.test")
    worker.relink_contact(contact.pk)

    assert [link.message.subject for link in contact.links.all()] == ["private"]


def test_a_company_added_later_finds_its_older_emails(ana: User) -> None:
    arrives(a_folder(an_account()), a_letter("someone@mail.lumen.test"), a_letter("someone@notlumen.test"))
    company = verbs.add_company("Lumen Studio", ["lumen.test"], by=ana)

    worker.relink_company(company.pk)

    assert [link.found for link in company.links.all()] == ["mail.lumen.test"]


def test_colleagues_are_nobodys_contact(ana: User, ben: User) -> None:
    """D3."""
    verbs.add_contact("Ben as a contact", ["friend@lumen.test"], by=ana)
    Contact.objects.get().addresses.update(address=ben.address)

    arrives(a_folder(an_account()), a_letter(ben.address, to="sales@rapport.test"))

    assert not Link.objects.exists()


def test_a_private_contact_is_made_for_a_personal_mailbox(ana: User) -> None:
    """D9: seen by its owner alone; and the same person may be made for everybody from a shared one."""
    mine = an_account("ana@rapport.test", owner=ana, create_contacts=True)
    arrives(a_folder(mine), a_letter(to=ana.address))
    assert Contact.objects.get().seen_by == ana

    arrives(a_folder(an_account(create_contacts=True)), a_letter())

    assert set(Contact.objects.values_list("seen_by", flat=True)) == {ana.pk, None}


def test_two_workers_make_one_contact(ana: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """D5: the database says no to the second, whatever both saw before."""
    account = an_account(create_contacts=True)
    arrives(a_folder(account), a_letter())
    monkeypatch.setattr(newcomers, "_known", lambda *_: set())
    senders = [newcomers.Sender(address, "", automatic=False) for address in ("ines@lumen.test", "rita@lumen.test")]

    made = newcomers.make_contacts(senders, account)

    assert [contact.name for contact in made] == ["Rita"]
    assert Contact.objects.count() == 2


def test_an_address_is_one_contact_for_everybody(ana: User) -> None:
    verbs.add_contact("Inês", ["ines@lumen.test"], by=ana)
    other = Contact.objects.create(name="Other")

    with pytest.raises(IntegrityError), transaction.atomic():
        other.addresses.create(address="ines@lumen.test")


def test_own_addresses_are_accounts_and_people(ana: User) -> None:
    an_account()

    assert find.own_addresses() == {"sales@rapport.test", ana.address}
