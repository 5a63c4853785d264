"""Making a contact out of an unknown sender (S16, D5)."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db import IntegrityError, transaction

from rapport.crm.freemail import is_freemail
from rapport.crm.models import CompanyDomain, Contact, ContactAddress
from rapport.links import rules
from rapport.links.find import own_addresses
from rapport.mail.models import Account

LONGEST = 254
"""Characters of an address that mail can be sent to (RFC 5321, 4.5.3.1.3, without the brackets)."""


@dataclass(frozen=True)
class Sender:
    """Who wrote an email."""

    address: str
    """Lower case."""
    name: str
    automatic: bool
    """A machine or a list sent it."""


def make_contacts(senders: Iterable[Sender], account: Account) -> list[Contact]:
    """A contact for every unknown person who wrote. Safe to repeat, and to run twice at once."""
    if not account.create_contacts:
        return []
    own = own_addresses()
    people = {one.address: one for one in senders if deserves(one.address, automatic=one.automatic, own=own)}
    unknown = sorted(set(people) - _known(people, account))
    if not unknown:
        return []
    companies = _companies(unknown)
    made = [_contact(people[address], account, companies) for address in unknown]
    try:
        with transaction.atomic():
            return _saved(made, unknown)
    except IntegrityError:
        # Another worker was faster with one of them: then one by one, and only those it left.
        return [one for contact, address in zip(made, unknown, strict=True) for one in _saved_alone(contact, address)]


def deserves(address: str, *, automatic: bool, own: Collection[str]) -> bool:
    """Whether a contact is made for this sender: a person, and not one of us."""
    domain = address.rpartition("@")[2]
    if len(address) > LONGEST:
        return False
    ours = {one.rpartition("@")[2] for one in own}
    inside = address in own or (domain in ours and not is_freemail(domain))
    return bool(domain) and not automatic and not inside and not rules.is_machine(address)


def _known(addresses: Collection[str], account: Account) -> set[str]:
    rows = ContactAddress.objects.filter(address__in=addresses, seen_by=None)
    if not account.shared:
        rows |= ContactAddress.objects.filter(address__in=addresses, seen_by=account.owner)
    return set(rows.values_list("address", flat=True))


def _contact(person: Sender, account: Account, companies: Mapping[str, int]) -> Contact:
    domains = rules.domains_of(person.address.rpartition("@")[2])
    return Contact(
        name=(person.name or rules.name_from(person.address))[:200],
        company_id=next((companies[domain] for domain in domains if domain in companies), None),
        owner=None if account.shared else account.owner,
        seen_by=None if account.shared else account.owner,
        source=Contact.Source.MAIL,
    )


def _saved(contacts: Sequence[Contact], addresses: Sequence[str]) -> list[Contact]:
    saved = Contact.objects.bulk_create(contacts)
    ContactAddress.objects.bulk_create(
        ContactAddress(contact=contact, address=address, seen_by=contact.seen_by)
        for contact, address in zip(saved, addresses, strict=True)
    )
    return saved


def _saved_alone(contact: Contact, address: str) -> list[Contact]:
    contact.pk = None
    contact._state.adding = True  # noqa: SLF001  # Django's documented way to save an object anew
    try:
        with transaction.atomic():
            return _saved([contact], [address])
    except IntegrityError:
        return []


def _companies(addresses: Collection[str]) -> dict[str, int]:
    """Companies by domain (S36)."""
    domains = {domain for address in addresses for domain in rules.domains_of(address.rpartition("@")[2])}
    return dict(CompanyDomain.objects.filter(domain__in=domains).values_list("domain", "company"))
