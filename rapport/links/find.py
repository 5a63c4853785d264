"""Associating emails with records, when they arrive and when a record changes."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from django.db.models import F, Q
from django.utils.timezone import now

from rapport.crm.models import CompanyDomain, Contact, ContactAddress
from rapport.database import rows
from rapport.links import rules
from rapport.links.models import Link
from rapport.links.rules import Known, Named
from rapport.mail.models import Account, Message, Participant
from rapport.people.models import User

BATCH = 500


def own_addresses() -> frozenset[str]:
    """Addresses of accounts and of colleagues: they never associate (D3)."""
    return frozenset(Account.objects.values_list("address", flat=True)) | frozenset(
        User.objects.values_list("address", flat=True)
    )


def link(threads: Mapping[int, int], named: Mapping[int, Sequence[Named]], account: Account) -> set[int]:
    """Associate emails of one account by all rules; the contacts that gained one. Safe to repeat.

    ``threads`` says each email's thread.
    """
    addresses = {person.address for people in named.values() for person in people}
    contacts = _contacts(addresses, account)
    companies = _companies(addresses)
    if not (contacts or companies):
        return set()
    own = own_addresses()
    made = [
        (message, thread, found)
        for message, thread in threads.items()
        for found in rules.associate(named.get(message, ()), contacts, companies, own)
    ]
    at = now()
    rows.insert(
        Link,
        ("message_id", "thread_id", "contact_id", "company_id", "rule", "role", "found", "made_at"),
        ((m, t, one.contact, one.company, one.rule, one.role, one.found, at) for m, t, one in made),
        ignore=True,
    )
    return {found.contact for _, _, found in made if found.contact}


def relink_addresses(addresses: Collection[str]) -> None:
    """Associate the older emails of these addresses: contacts were made for them just now."""
    _relink(Participant.objects.filter(address__in=addresses).values_list("message_id", flat=True).distinct())


def relink_contact(contact: Contact) -> None:
    """Associate a contact's older emails, and let go of those under an address it no longer has (D6)."""
    addresses = list(contact.addresses.values_list("address", flat=True))
    stale = Link.objects.filter(contact=contact, rule=Link.Rule.ADDRESS).exclude(found__in=addresses)
    again = set(stale.values_list("message", flat=True))
    stale.delete()
    _forget_company(contact, addresses)
    about = Q(participants__address__in=addresses) | Q(pk__in=again)
    _relink(Message.objects.filter(about).values_list("pk", flat=True).distinct())


def relink_domains(domains: Collection[str], company: int) -> None:
    """Associate a company's older emails, and let go of those under a domain it no longer has."""
    Link.objects.filter(company=company, rule=Link.Rule.DOMAIN).exclude(_under("found", domains)).delete()
    if domains:
        _relink(Message.objects.filter(_under("participants__domain", domains)).values_list("pk", flat=True).distinct())


def named_in(messages: Iterable[int]) -> dict[int, list[Named]]:
    """Who stands in the headers of these emails."""
    people: dict[int, list[Named]] = defaultdict(list)
    for row in Participant.objects.filter(message__in=list(messages)).order_by("pk"):
        people[row.message_id].append(Named(row.role, row.address, row.name))
    return people


def _forget_company(contact: Contact, addresses: Sequence[str]) -> None:
    """Emails were on the company because of this contact: only while the contact is in it."""
    stale = Link.objects.filter(rule=Link.Rule.CONTACT, found__in=addresses)
    stale.exclude(company=contact.company_id).delete()


def _under(field: str, domains: Collection[str]) -> Q:
    under = Q(pk__in=[])
    for domain in domains:
        under |= Q(**{field: domain}) | Q(**{f"{field}__endswith": f".{domain}"})
    return under


def _relink(keys: Iterable[int]) -> None:
    for batch in _batches(list(keys)):
        by_account: dict[int, dict[int, int]] = defaultdict(dict)
        for message, thread, owner in Message.objects.filter(pk__in=batch).values_list("pk", "thread_id", "account_id"):
            by_account[owner][message] = thread
        for account in Account.objects.filter(pk__in=by_account):
            threads = by_account[account.pk]
            link(threads, named_in(threads), account)


def _batches(keys: Sequence[int]) -> Iterator[Sequence[int]]:
    return (keys[start : start + BATCH] for start in range(0, len(keys), BATCH))


def _contacts(addresses: Collection[str], account: Account) -> dict[str, Known]:
    """Contacts by address as far as this account's readers may see them; everybody's before the owner's own."""
    seen = Q(seen_by=None)
    if not account.shared:
        seen |= Q(seen_by=account.owner_id)
    found = (
        ContactAddress.objects.filter(seen, address__in=addresses)
        .select_related("contact")
        .order_by(F("seen_by").desc(nulls_last=True))
    )
    return {row.address: Known(row.contact_id, row.contact.company_id) for row in found}


def _companies(addresses: Collection[str]) -> dict[str, int]:
    domains = {domain for address in addresses for domain in rules.domains_of(address.rpartition("@")[2])}
    return dict(CompanyDomain.objects.filter(domain__in=domains).values_list("domain", "company"))
