"""Contacts and companies on their pages."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from rapport.crm import verbs
from rapport.crm.models import Company, Contact, ContactAddress
from rapport.people.models import User
from tests.world import a_folder, a_letter, an_account, arrives

pytestmark = pytest.mark.django_db


@pytest.fixture
def ines(ana: User) -> Contact:
    verbs.add_company("Lumen Studio", ["lumen.test"], by=ana)
    return verbs.add_contact("Inês Carvalho", ["ines@lumen.test"], by=ana, title="Head of Workplace")


def private_to(person: User) -> Contact:
    contact = Contact.objects.create(name="Ewa Nowak", source=Contact.Source.MAIL, seen_by=person)
    ContactAddress.objects.create(contact=contact, address="ewa@home.test", seen_by=person)
    return contact


def page(client: Client, person: User, address: str) -> str:
    client.force_login(person)
    answer = client.get(address)
    assert answer.status_code == 200, address
    return answer.content.decode()


def test_the_list_shows_people_with_company_and_address(client: Client, ben: User, ines: Contact) -> None:
    shown = page(client, ben, "/contacts/")

    assert "Inês Carvalho" in shown
    assert "ines@lumen.test" in shown
    assert "Lumen Studio" in shown


@pytest.mark.parametrize(("words", "found"), [("carval", True), ("ines@", True), ("lumen st", True), ("nobody", False)])
def test_the_list_is_searched_by_name_address_and_company(
    client: Client, ben: User, ines: Contact, words: str, found: bool
) -> None:
    assert ("Head" in page(client, ben, f"/contacts/{ines.uuid}")) is True
    assert (str(ines.uuid) in page(client, ben, f"/contacts/?q={words}")) is found


def test_fifty_are_a_page_and_the_queries_do_not_grow(client: Client, ben: User, ines: Contact) -> None:
    client.force_login(ben)
    with CaptureQueriesContext(connection) as few:
        client.get("/contacts/")
    company = Company.objects.get()
    made = Contact.objects.bulk_create(Contact(name=f"Person {n:03}", company=company) for n in range(120))
    ContactAddress.objects.bulk_create(ContactAddress(contact=one, address=f"{one.name}@p.test") for one in made)

    with CaptureQueriesContext(connection) as many:
        first = client.get("/contacts/?sort=name").content.decode()

    assert len(many) <= len(few) <= 20
    assert "Person 048" in first
    assert "Person 050" not in first
    assert "Person 050" in client.get("/contacts/?sort=name&page=2").content.decode()


@pytest.mark.parametrize("query", ["page=0", "page=x", "page=999999999999", "sort=password", "emails=-1", "q=%25_'\""])
def test_a_strange_address_is_a_page_too(client: Client, ben: User, ines: Contact, query: str) -> None:
    page(client, ben, f"/contacts/?{query}")
    page(client, ben, f"/companies/?{query}")
    page(client, ben, f"/contacts/{ines.uuid}?{query}")


def test_a_private_contact_does_not_exist_for_others(client: Client, ana: User, cleo: User) -> None:
    contact = private_to(ana)

    assert "Made from mail, seen by you alone" in page(client, ana, f"/contacts/{contact.uuid}")
    client.force_login(cleo)
    assert "Ewa" not in client.get("/contacts/").content.decode()
    for address in ("", "/edit"):
        assert client.get(f"/contacts/{contact.uuid}{address}").status_code == 404
    assert client.post(f"/contacts/{contact.uuid}/share").status_code == 404


def test_sharing_shows_it_to_everybody(client: Client, ana: User, ben: User) -> None:
    contact = private_to(ana)
    client.force_login(ana)

    client.post(f"/contacts/{contact.uuid}/share")

    assert "Ewa Nowak" in page(client, ben, f"/contacts/{contact.uuid}")


def test_the_timeline_says_whose_mailbox_and_why(client: Client, ana: User, ben: User, ines: Contact) -> None:
    shared, personal = an_account(), an_account("ana@rapport.test", owner=ana)
    arrives(a_folder(shared), a_letter("Inês <ines@lumen.test>", subject="To all"))
    arrives(a_folder(personal), a_letter("Inês <ines@lumen.test>", to="ana@rapport.test", subject="To Ana"))

    bens, anas = (page(client, person, f"/contacts/{ines.uuid}") for person in (ben, ana))

    assert "Ana’s personal mailbox · you can read it, because you can see Inês" in bens
    assert "personal mailbox ·" not in anas
    assert bens.count('href="/messages/') == 1
    assert bens.count('href="/inbox/thread/') == 1
    assert anas.count('href="/inbox/thread/') == 2


def test_a_contact_is_made_by_hand(client: Client, ben: User) -> None:
    client.force_login(ben)

    answer = client.post("/contacts/new", {"name": "Inês", "addresses": ["a@lumen.test", "b@lumen.test", ""]})

    contact = Contact.objects.get()
    assert answer.headers["Location"] == f"/contacts/{contact.uuid}"
    assert contact.addresses.count() == 2


def test_a_taken_address_leads_to_whose_it_is_and_keeps_what_was_typed(
    client: Client, ben: User, ines: Contact
) -> None:
    client.force_login(ben)

    answer = client.post("/contacts/new", {"name": "Typed name", "addresses": ["ines@lumen.test"]})

    shown = answer.content.decode()
    assert answer.status_code == 422
    assert f'href="/contacts/{ines.uuid}"' in shown
    assert 'value="Typed name"' in shown


def test_only_the_fields_of_the_form_are_taken(client: Client, ben: User, cleo: User) -> None:
    client.force_login(ben)

    client.post("/contacts/new", {"name": "Inês", "owner": cleo.pk, "seen_by": cleo.pk, "source": "mail"})

    contact = Contact.objects.get()
    assert (contact.owner, contact.seen_by, contact.source) == (ben, None, "person")


def test_details_turn_into_a_form_and_back(client: Client, ben: User, ines: Contact) -> None:
    client.force_login(ben)
    address = f"/contacts/{ines.uuid}/edit"

    piece = client.get(address, headers={"HX-Request": "true", "HX-Target": "details"}).content.decode()
    whole = client.get(address).content.decode()
    saved = client.post(
        address,
        {"name": "Inês C", "addresses": ["ines@lumen.test"], "company": "Lumen Studio"},
        headers={"HX-Request": "true", "HX-Target": "details"},
    )

    assert piece.startswith('<section class="c-sec" id="details">')
    assert 'value="Head of Workplace"' in whole
    assert saved.headers["HX-Redirect"] == f"/contacts/{ines.uuid}"
    ines.refresh_from_db()
    assert (ines.name, ines.company_chosen) == ("Inês C", False)


def test_a_company_has_its_people_and_refuses_freemail(client: Client, ben: User, ines: Contact) -> None:
    lumen = Company.objects.get()
    shown = page(client, ben, f"/companies/{lumen.uuid}")

    refused = client.post(f"/companies/{lumen.uuid}/edit", {"name": "Lumen", "domains": ["gmail.com"]})

    assert "Inês Carvalho" in shown
    assert refused.status_code == 422
    assert "Anybody can have an address at gmail.com" in refused.content.decode()
    lumen.refresh_from_db()
    assert lumen.name == "Lumen Studio"


def test_a_new_record_is_a_dialog_over_a_page_that_asks(client: Client, ben: User) -> None:
    client.force_login(ben)

    for address in ("/contacts/new", "/companies/new"):
        piece = client.get(address, headers={"HX-Request": "true", "HX-Target": "dialog-host"}).content.decode()
        assert piece.startswith("<dialog")
        assert "<dialog" in page(client, ben, address)


def test_names_from_mail_stay_text(client: Client, ben: User) -> None:
    nasty = "<img src=x onerror=alert(1)>\"' hx-get=/x"
    contact = Contact.objects.create(name=nasty, title=nasty)

    for address in ("/contacts/", f"/contacts/{contact.uuid}", f"/contacts/{contact.uuid}/edit"):
        assert "<img src=x" not in page(client, ben, address)
