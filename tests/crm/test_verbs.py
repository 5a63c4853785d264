"""Making, editing and sharing contacts and companies."""

from collections.abc import Iterable

import pytest

from rapport.crm import verbs
from rapport.crm.freemail import is_freemail
from rapport.crm.models import Contact, ContactAddress
from rapport.events.models import Event
from rapport.people.models import User
from rapport.work.models import Due

pytestmark = pytest.mark.django_db


def made_from_mail(address: str, *, for_: User) -> Contact:
    """As the engine makes it out of a personal mailbox."""
    contact = Contact.objects.create(name="Ewa Nowak", source=Contact.Source.MAIL, seen_by=for_)
    ContactAddress.objects.create(contact=contact, address=address, seen_by=for_)
    return contact


def addresses(contact: Contact) -> Iterable[str]:
    return contact.addresses.order_by("pk").values_list("address", flat=True)


def test_a_contact_is_kept_with_addresses_as_they_are_compared(ben: User) -> None:
    contact = verbs.add_contact("Inês", [" Ines@Lumen.TEST ", "ines@lumen.test", ""], by=ben)

    assert list(addresses(contact)) == ["ines@lumen.test"]
    assert (contact.owner, contact.seen_by, contact.source) == (ben, None, "person")


def test_every_change_asks_for_older_mail_and_tells_the_pages(ben: User) -> None:
    contact = verbs.add_contact("Inês", ["ines@lumen.test"], by=ben)
    company = verbs.add_company("Lumen", [], by=ben)

    assert set(Due.objects.values_list("kind", "about")) == {("relink", contact.pk), ("relink-company", company.pk)}
    assert set(Event.objects.values_list("kind", "about")) == {("contact", contact.pk), ("company", company.pk)}


def test_one_address_is_one_contact(ben: User) -> None:
    first = verbs.add_contact("Inês", ["ines@lumen.test"], by=ben)

    with pytest.raises(verbs.AlreadyThere, match="is already on Inês") as refused:
        verbs.add_contact("Other", ["INES@lumen.test"], by=ben)

    assert refused.value.record == first
    assert Contact.objects.count() == 1


@pytest.mark.parametrize("given", ["nobody", "a@b@c", "x y@z.test"])
def test_what_is_no_address_is_refused(ben: User, given: str) -> None:
    with pytest.raises(verbs.CannotKeep, match="is not an email address"):
        verbs.add_contact("Inês", [given], by=ben)


def test_a_contact_needs_a_name_or_an_address() -> None:
    assert verbs.add_contact("", ["ines@lumen.test"], by=None).name == "ines@lumen.test"
    with pytest.raises(verbs.CannotKeep, match="needs a name"):
        verbs.add_contact(" ", [], by=None)


def test_a_new_contact_joins_the_company_of_its_domain(ben: User) -> None:
    lumen = verbs.add_company("Lumen", ["lumen.test"], by=ben)

    assert verbs.add_contact("Inês", ["ines@lumen.test"], by=ben).company == lumen


def test_a_chosen_company_wins_over_the_domain(ben: User) -> None:
    verbs.add_company("Lumen", ["lumen.test"], by=ben)

    contact = verbs.add_contact("Inês", ["ines@lumen.test"], by=ben, company="Brouwer")

    assert contact.company is not None
    assert (contact.company.name, contact.company_chosen) == ("Brouwer", True)


def test_a_company_gathers_the_contacts_of_its_domain_and_leaves_the_chosen(ben: User) -> None:
    ines = verbs.add_contact("Inês", ["ines@lumen.test"], by=ben)
    chosen = verbs.add_contact("Paulo", ["paulo@lumen.test"], by=ben, company="Brouwer")

    lumen = verbs.add_company("Lumen", ["lumen.test"], by=ben)

    ines.refresh_from_db()
    chosen.refresh_from_db()
    assert ines.company == lumen
    assert chosen.company != lumen


def test_no_company_chosen_by_hand_stays_none(ben: User) -> None:
    verbs.add_company("Lumen", ["lumen.test"], by=ben)
    contact = verbs.add_contact("Inês", ["ines@lumen.test"], by=ben)

    verbs.edit_contact(contact, name="Inês", addresses=["ines@lumen.test"], by=ben, company="")
    verbs.edit_contact(contact, name="Inês C", addresses=["ines@lumen.test"], by=ben, company="")

    contact.refresh_from_db()
    assert (contact.company, contact.company_chosen) == (None, True)


@pytest.mark.parametrize("act", ["edit", "share"])
def test_touching_a_private_contact_makes_it_everybodys(ana: User, act: str) -> None:
    contact = made_from_mail("ewa@home.test", for_=ana)

    if act == "edit":
        verbs.edit_contact(contact, name="Ewa", addresses=["ewa@home.test", "ewa@work.test"], by=ana)
    else:
        verbs.share_contact(contact, by=ana)

    contact.refresh_from_db()
    assert (contact.seen_by, contact.owner, contact.source) == (None, ana, "person")
    assert set(contact.addresses.values_list("seen_by", flat=True)) == {None}


def test_a_private_contact_neither_blocks_nor_betrays_its_address(ana: User, ben: User) -> None:
    private = made_from_mail("ewa@home.test", for_=ana)

    shared = verbs.add_contact("Ewa", ["ewa@home.test"], by=ben)

    assert not Contact.objects.filter(pk=private.pk).exists()
    assert [(kept.contact, kept.seen_by) for kept in ContactAddress.objects.all()] == [(shared, None)]


def test_the_owner_of_a_private_contact_is_led_to_it(ana: User) -> None:
    private = made_from_mail("ewa@home.test", for_=ana)

    with pytest.raises(verbs.AlreadyThere) as refused:
        verbs.add_contact("Ewa", ["ewa@home.test"], by=ana)

    assert refused.value.record == private


def test_addresses_come_and_go_by_editing(ben: User) -> None:
    contact = verbs.add_contact("Inês", ["a@lumen.test", "b@lumen.test"], by=ben)

    verbs.edit_contact(contact, name="Inês", addresses=["b@lumen.test", "c@lumen.test"], by=ben)

    assert set(addresses(contact)) == {"b@lumen.test", "c@lumen.test"}


@pytest.mark.parametrize("given", ["lumen.test", "@Lumen.test", "https://www.lumen.test/about", "someone@lumen.test"])
def test_a_domain_is_understood_however_it_was_pasted(ben: User, given: str) -> None:
    company = verbs.add_company("Lumen", [given], by=ben)

    assert list(company.domains.values_list("domain", flat=True)) == ["lumen.test"]


@pytest.mark.parametrize(
    ("given", "reason"),
    [("gmail.com", "Anybody can have an address at gmail.com"), ("GMX.de", "Anybody"), ("not a domain", "not a mail")],
)
def test_a_domain_that_cannot_belong_to_one_company_is_refused(ben: User, given: str, reason: str) -> None:
    with pytest.raises(verbs.CannotKeep, match=reason):
        verbs.add_company("Lumen", [given], by=ben)


def test_a_domain_and_a_name_are_one_companys(ben: User) -> None:
    lumen = verbs.add_company("Lumen", ["lumen.test"], by=ben)

    for name, domain in (("Other", "lumen.test"), ("LUMEN", "other.test")):
        with pytest.raises(verbs.AlreadyThere) as refused:
            verbs.add_company(name, [domain], by=ben)
        assert refused.value.record == lumen

    verbs.edit_company(lumen, name="lumen", domains=["lumen.test", "lumen.example"], by=ben)
    assert lumen.domains.count() == 2


def test_freemail_is_known_whatever_its_case() -> None:
    assert is_freemail("Outlook.com")
    assert not is_freemail("lumen.test")
