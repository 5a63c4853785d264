"""Lists of contacts and companies, each with how much mail a person may read on it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Literal, TypeVar

from django.db.models import Count, F, Max, OuterRef, Prefetch, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, Lower, NullIf

from rapport import access
from rapport.crm.models import Company, Contact
from rapport.links.models import Link
from rapport.people.models import User

PAGE = 50
SORTS = ("last", "name")
"""By the last email, newest first; by name."""

Row = TypeVar("Row")
Record = TypeVar("Record", Contact, Company)
Side = Literal["contact", "company"]


@dataclass(frozen=True)
class Mail:
    """What a person may read on a record, in figures."""

    emails: int = 0
    received: datetime | None = None
    sent: datetime | None = None

    @property
    def last(self) -> datetime | None:
        """When the last email was."""
        return max(filter(None, (self.received, self.sent)), default=None)

    @property
    def incoming(self) -> bool:
        """The last one came from them."""
        return self.received is not None and self.received == self.last


@dataclass(frozen=True)
class ContactRow:
    """A contact in a list, with its company and addresses."""

    contact: Contact
    mail: Mail


@dataclass(frozen=True)
class CompanyRow:
    """A company in a list, with its domains, and the people the viewer sees in it."""

    company: Company
    people: Sequence[Contact]
    mail: Mail


@dataclass(frozen=True)
class Found(Generic[Row]):
    """One page of a list."""

    rows: Sequence[Row]
    total: int
    page: int

    @property
    def before(self) -> int | None:
        """The page before, if there is one."""
        return self.page - 1 if self.page > 1 else None

    @property
    def after(self) -> int | None:
        """The page after, if there is one."""
        return self.page + 1 if self.page * PAGE < self.total else None


def contacts(user: User, *, words: str = "", sort: str = "last", page: int = 1) -> Found[ContactRow]:
    """The contacts this person sees whose name, address or company contains the words. Five queries a page."""
    found = access.contacts(user)
    for word in words.split():
        at_address = Q(pk__in=access.contacts(user).filter(addresses__address__icontains=word).values("pk"))
        found = found.filter(Q(name__icontains=word) | Q(company__name__icontains=word) | at_address)
    whole = access.contacts(user).select_related("company").prefetch_related("addresses")
    rows = _rows(user, "contact", _keys(user, "contact", found, sort, page), whole)
    return Found([ContactRow(contact, mail) for contact, mail in rows], found.count(), page)


def companies(user: User, *, words: str = "", sort: str = "last", page: int = 1) -> Found[CompanyRow]:
    """The companies this person sees whose name or domain contains the words. Six queries a page."""
    found = access.companies(user)
    for word in words.split():
        at_domain = Q(pk__in=access.companies(user).filter(domains__domain__icontains=word).values("pk"))
        found = found.filter(Q(name__icontains=word) | at_domain)
    people = Prefetch("contacts", access.contacts(user).prefetch_related("addresses").order_by("pk"))
    whole = access.companies(user).prefetch_related("domains", people)
    rows = _rows(user, "company", _keys(user, "company", found, sort, page), whole)
    return Found(
        [CompanyRow(company, list(company.contacts.all()), mail) for company, mail in rows], found.count(), page
    )


def colleagues(user: User, company: Company, *, besides: Contact | None = None) -> Sequence[ContactRow]:
    """The people of a company whom this person sees, by name."""
    people = access.contacts(user).filter(company=company)
    others = people.exclude(pk=besides.pk) if besides else people
    keys = list(others.order_by(Lower("name"), "pk").values_list("pk", flat=True)[:PAGE])
    rows = _rows(user, "contact", keys, people.prefetch_related("addresses"))
    return [ContactRow(contact, mail) for contact, mail in rows]


def _keys(user: User, side: Side, found: QuerySet[Record], sort: str, page: int) -> list[int]:
    """Primary keys of one page, in order."""
    cut = slice((page - 1) * PAGE, page * PAGE)
    if sort == "name":
        return list(found.order_by(Lower("name"), "pk").values_list("pk", flat=True)[cut])
    here: dict[str, object] = {side: OuterRef("pk")}
    newest = _links(user).filter(**here).order_by("-message__internal_date")
    ordered = found.annotate(last=Subquery(newest.values("message__internal_date")[:1]))
    return list(
        ordered.order_by(F("last").desc(nulls_last=True), Lower("name"), "pk").values_list("pk", flat=True)[cut]
    )


def _rows(user: User, side: Side, keys: Sequence[int], whole: QuerySet[Record]) -> list[tuple[Record, Mail]]:
    records = whole.in_bulk(keys)
    mail = _mail(user, side, keys)
    return [(records[key], mail.get(key, Mail())) for key in keys if key in records]


def _mail(user: User, side: Side, keys: Collection[int]) -> dict[int, Mail]:
    """The figures of some records. Copies of one email in several accounts count once (D12)."""
    same = Coalesce(NullIf(F("message__message_id"), Value("")), F("message__sha256"))
    at = "message__internal_date"
    counted = (
        _links(user)
        .filter(**{f"{side}__in": keys})
        .values_list(side)
        .annotate(
            n=Count(same, distinct=True),
            received=Max(at, filter=Q(message__incoming=True)),
            sent=Max(at, filter=Q(message__incoming=False)),
        )
    )
    return {key: Mail(n, received, sent) for key, n, received, sent in counted}


def _links(user: User) -> QuerySet[Link]:
    return Link.objects.filter(message__in=access.messages(user))
