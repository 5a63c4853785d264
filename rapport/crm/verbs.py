"""What people do about contacts and companies: make them, change them, share them.

Every change asks ``work`` to associate older mail again in the background (D6), and tells the open pages.
"""

from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.core.validators import validate_domain_name, validate_email
from django.db.models import Q

from rapport.crm.freemail import is_freemail
from rapport.crm.models import Company, CompanyDomain, Contact, ContactAddress
from rapport.database import turns
from rapport.events.models import Event
from rapport.mime.addresses import canonical
from rapport.people.models import User
from rapport.work.models import ask


class CannotKeep(Exception):
    """What was given cannot be kept; the text says why, ``field`` where."""

    def __init__(self, words: str, *, field: str) -> None:
        super().__init__(words)
        self.field = field


class AlreadyThere(CannotKeep):
    """Another record has it already: look at ``record`` instead."""

    def __init__(self, record: Contact | Company, found: str, *, field: str) -> None:
        super().__init__(f"{found} is already on {record.name}.", field=field)
        self.record = record


# --- contacts ---------------------------------------------------------------------------------------------------------


@turns.alone()
def add_contact(
    name: str,
    addresses: Iterable[str],
    *,
    by: User | None,
    title: str = "",
    phone: str = "",
    company: str = "",
) -> Contact:
    """A new contact that everybody sees. Without a company's name, the domain of an address decides (S36)."""
    wanted = _addresses(addresses, by=by)
    named = name.strip() or (wanted[0] if wanted else "")
    if not named:
        raise CannotKeep("A contact needs a name or an address.", field="name")
    contact = Contact(name=named, title=title.strip(), phone=phone.strip(), owner=by, seen_by=None)
    _place(contact, company.strip(), wanted, by=by)
    contact.save()
    _absorb(contact, wanted)
    ContactAddress.objects.bulk_create(ContactAddress(contact=contact, address=address) for address in wanted)
    _changed_contact(contact)
    return contact


@turns.alone()
def edit_contact(
    contact: Contact,
    *,
    name: str,
    addresses: Iterable[str],
    by: User,
    title: str = "",
    phone: str = "",
    company: str = "",
) -> Contact:
    """The contact as the form has it now. Touching one that the machine made makes it everybody's (D9)."""
    wanted = _addresses(addresses, by=by, besides=contact)
    if not name.strip():
        raise CannotKeep("A contact needs a name.", field="name")
    contact.name, contact.title, contact.phone = name.strip(), title.strip(), phone.strip()
    if company.strip() != (contact.company.name if contact.company else ""):
        contact.company_chosen = True
        contact.company = _company_called(company.strip(), by=by)
    _make_everybodys(contact, wanted, by=by)
    if not contact.company_chosen and contact.company is None:
        contact.company = _company_of(wanted)
    contact.save()
    _changed_contact(contact)
    return contact


@turns.alone()
def share_contact(contact: Contact, *, by: User) -> Contact:
    """Let everybody see a contact that the machine made out of a personal mailbox (D9)."""
    wanted = _addresses(contact.addresses.values_list("address", flat=True), by=by, besides=contact)
    _make_everybodys(contact, wanted, by=by)
    contact.save()
    _changed_contact(contact)
    return contact


def _make_everybodys(contact: Contact, wanted: list[str], *, by: User) -> None:
    """A person has touched it: it is a person's now, seen by all, with these addresses."""
    if contact.source == Contact.Source.MAIL and contact.owner is None:
        contact.owner = by
    contact.seen_by, contact.source = None, Contact.Source.PERSON
    _absorb(contact, wanted)
    contact.addresses.exclude(address__in=wanted).delete()
    contact.addresses.update(seen_by=None)
    here = set(contact.addresses.values_list("address", flat=True))
    new = [ContactAddress(contact=contact, address=address) for address in wanted if address not in here]
    ContactAddress.objects.bulk_create(new)


def _addresses(given: Iterable[str], *, by: User | None, besides: Contact | None = None) -> list[str]:
    """The addresses in the form they are compared in, each once, none of them another contact's."""
    wanted = list(dict.fromkeys(_address(address) for address in given if address.strip()))
    seen = Q(seen_by=None) | Q(seen_by=by) if by else Q(seen_by=None)
    others = ContactAddress.objects.filter(seen, address__in=wanted).exclude(contact=besides)
    taken = others.select_related("contact").order_by("pk").first()
    if taken is not None:
        raise AlreadyThere(taken.contact, taken.address, field="addresses")
    return wanted


def _address(given: str) -> str:
    try:
        validate_email(given.strip())
    except ValidationError as error:
        raise CannotKeep(f"“{given.strip()}” is not an email address.", field="addresses") from error
    return canonical(given)


def _absorb(contact: Contact, addresses: list[str]) -> None:
    """Private contacts that the machine made for these addresses give way: one address is one contact (D9).

    Nobody has touched them, so nothing a person wrote is lost; their mail is found again for the shared contact.
    """
    private = ContactAddress.objects.filter(address__in=addresses).exclude(contact=contact).exclude(seen_by=None)
    owners = set(private.values_list("contact", flat=True))
    private.delete()
    Contact.objects.filter(pk__in=owners, addresses=None).delete()


def _place(contact: Contact, company: str, addresses: list[str], *, by: User | None) -> None:
    """Into the company that was named, else into the one whose domain an address has (S36)."""
    contact.company_chosen = bool(company)
    contact.company = _company_called(company, by=by) if company else _company_of(addresses)


def _company_called(name: str, *, by: User | None) -> Company | None:
    """The company of that name, made when there is none; no name is no company."""
    if not name:
        return None
    return Company.objects.filter(name__iexact=name).order_by("pk").first() or add_company(name, [], by=by)


def _company_of(addresses: list[str]) -> Company | None:
    """The company that one of these addresses leads to."""
    domains = [address.rpartition("@")[2] for address in addresses]
    return Company.objects.filter(domains__domain__in=domains).order_by("pk").first()


def _changed_contact(contact: Contact) -> None:
    ask("relink", contact.pk)
    Event.objects.create(kind=Event.Kind.CONTACT, about=contact.pk)


# --- companies --------------------------------------------------------------------------------------------------------


@turns.alone()
def add_company(name: str, domains: Iterable[str], *, by: User | None) -> Company:
    """A new company. Contacts with an address at its domains join it, unless theirs was chosen (S36)."""
    wanted = _domains(domains)
    company = Company(name=_name(name), owner=by)
    company.save()
    CompanyDomain.objects.bulk_create(CompanyDomain(company=company, domain=domain) for domain in wanted)
    _gather(company, wanted)
    _changed_company(company)
    return company


@turns.alone()
def edit_company(company: Company, *, name: str, domains: Iterable[str], by: User) -> Company:  # noqa: ARG001  # a verb names its person
    """The company as the form has it now."""
    wanted = _domains(domains, besides=company)
    company.name = _name(name, besides=company)
    company.save()
    company.domains.exclude(domain__in=wanted).delete()
    here = set(company.domains.values_list("domain", flat=True))
    new = [CompanyDomain(company=company, domain=domain) for domain in wanted if domain not in here]
    CompanyDomain.objects.bulk_create(new)
    _gather(company, wanted)
    _changed_company(company)
    return company


def _name(given: str, *, besides: Company | None = None) -> str:
    name = given.strip()
    if not name:
        raise CannotKeep("A company needs a name.", field="name")
    same = Company.objects.filter(name__iexact=name).order_by("pk").first()
    if same is not None and same != besides:
        raise AlreadyThere(same, "That name", field="name")
    return name


def _domains(given: Iterable[str], *, besides: Company | None = None) -> list[str]:
    """The domains as they stand in addresses, each once, none of them another company's or everybody's."""
    wanted = list(dict.fromkeys(_domain(domain) for domain in given if domain.strip()))
    others = CompanyDomain.objects.filter(domain__in=wanted).exclude(company=besides)
    taken = others.select_related("company").order_by("pk").first()
    if taken is not None:
        raise AlreadyThere(taken.company, taken.domain, field="domains")
    return wanted


def _domain(given: str) -> str:
    """What stands after the @, however it was pasted: ``https://www.lumen.example/`` is ``lumen.example``."""
    bare = given.strip().lower().rpartition("@")[2].rpartition("://")[2].partition("/")[0].removeprefix("www.")
    try:
        validate_domain_name(bare)
    except ValidationError as error:
        raise CannotKeep(f"“{given.strip()}” is not a mail domain.", field="domains") from error
    domain = canonical(f"x@{bare}").rpartition("@")[2]
    if is_freemail(domain):
        raise CannotKeep(
            f"Anybody can have an address at {domain}, so its mail cannot belong to one company.", field="domains"
        )
    return domain


def _gather(company: Company, domains: list[str]) -> None:
    """Contacts without a company whose address says they work here."""
    for domain in domains:
        free = Contact.objects.filter(company=None, company_chosen=False, addresses__address__endswith=f"@{domain}")
        for contact in free.distinct():
            Contact.objects.filter(pk=contact.pk).update(company=company)
            _changed_contact(contact)


def _changed_company(company: Company) -> None:
    ask("relink-company", company.pk)
    Event.objects.create(kind=Event.Kind.COMPANY, about=company.pk)
