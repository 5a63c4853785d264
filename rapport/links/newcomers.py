"""Making a contact out of an unknown sender (S16, D5)."""

from collections.abc import Collection, Mapping, Sequence

from django.db import IntegrityError, transaction

from rapport.crm.freemail import is_freemail
from rapport.crm.models import Company, Contact, ContactAddress
from rapport.links import rules
from rapport.links.rules import Named
from rapport.mail.models import Account, Message


def make_contacts(
    messages: Sequence[Message], named: Mapping[int, Sequence[Named]], account: Account, own: Collection[str]
) -> list[Contact]:
    """A contact for every unknown person who wrote one of these emails. Safe to repeat, and to run twice at once."""
    if not account.create_contacts:
        return []
    senders = {
        person.address: person
        for message in messages
        for person in named.get(message.pk, ())
        if person.role == "from" and deserves(person.address, automatic=message.automatic, own=own)
    }
    unknown = set(senders) - _known(senders, account)
    return [contact for address in sorted(unknown) if (contact := _make(senders[address], account))]


def deserves(address: str, *, automatic: bool, own: Collection[str]) -> bool:
    """Whether a contact is made for this sender: a person, and not one of us."""
    domain = address.rpartition("@")[2]
    ours = {one.rpartition("@")[2] for one in own}
    inside = address in own or (domain in ours and not is_freemail(domain))
    return bool(domain) and not automatic and not inside and not rules.is_machine(address)


def _known(addresses: Collection[str], account: Account) -> set[str]:
    rows = ContactAddress.objects.filter(address__in=addresses, seen_by=None)
    if not account.shared:
        rows |= ContactAddress.objects.filter(address__in=addresses, seen_by=account.owner)
    return set(rows.values_list("address", flat=True))


def _make(person: Named, account: Account) -> Contact | None:
    """The new contact; ``None`` when another worker was faster."""
    seen_by = None if account.shared else account.owner
    try:
        with transaction.atomic():
            contact = Contact.objects.create(
                name=(person.name or rules.name_from(person.address))[:200],
                company=_company(person.domain),
                owner=None if account.shared else account.owner,
                seen_by=seen_by,
                source=Contact.Source.MAIL,
            )
            ContactAddress.objects.create(contact=contact, address=person.address, seen_by=seen_by)
    except IntegrityError:
        return None
    return contact


def _company(domain: str) -> Company | None:
    """The company whose domain it is (S36); the nearest, where one has a part of another's."""
    companies = {
        row.domain: company
        for company in Company.objects.filter(domains__domain__in=rules.domains_of(domain)).prefetch_related("domains")
        for row in company.domains.all()
    }
    return next((companies[one] for one in rules.domains_of(domain) if one in companies), None)
