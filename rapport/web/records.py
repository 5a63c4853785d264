"""Contacts and companies: their lists, their pages with the emails on them, and the forms that change them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, TypeVar
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils.timezone import localtime
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect

from rapport import access
from rapport.crm import verbs
from rapport.crm.models import Company, Contact
from rapport.search import records, timeline
from rapport.web import forms, shell
from rapport.web.shell import SignedIn

F = TypeVar("F", forms.Contact, forms.Company)

MOST = 1000
"""Emails a record's page shows at most."""


# --- contacts ---------------------------------------------------------------------------------------------------------


@require_safe
def contacts(request: SignedIn) -> HttpResponse:
    """Everybody this person may know of."""
    return shell.render(request, "records/contacts.html", _contacts(request), section="contacts")


@require_safe
def contact(request: SignedIn, contact: UUID) -> HttpResponse:
    """One contact and its emails."""
    return _contact(request, access.contact(request.user, contact))


@require_http_methods(["GET", "POST"])
def new_contact(request: SignedIn) -> HttpResponse:
    """A contact made by hand."""
    form = _form(request, forms.Contact)
    if request.method == "GET":
        return _new_contact(request, form)
    if form.is_valid():
        try:
            made = verbs.add_contact(addresses=_several(request, "addresses"), by=request.user, **form.cleaned_data)
        except verbs.CannotKeep as error:
            return _new_contact(request, form, error)
        return _go(request, "contact", made.uuid)
    return _new_contact(request, form)


@require_http_methods(["GET", "POST"])
def edit_contact(request: SignedIn, contact: UUID) -> HttpResponse:
    """A contact's details, being changed."""
    found = access.contact(request.user, contact)
    form = _form(request, forms.Contact)
    trouble: verbs.CannotKeep | None = None
    if request.method == "POST" and form.is_valid():
        try:
            verbs.edit_contact(found, addresses=_several(request, "addresses"), by=request.user, **form.cleaned_data)
        except verbs.CannotKeep as error:
            trouble = error
        else:
            return _go(request, "contact", found.uuid)
    editing = _editing(request, form, trouble, _contact_values(found))
    return _contact(request, found, editing=editing)


@require_POST
def share_contact(request: SignedIn, contact: UUID) -> HttpResponse:
    """Let everybody see a contact that came out of a personal mailbox (D9)."""
    found = access.contact(request.user, contact)
    try:
        verbs.share_contact(found, by=request.user)
    except verbs.AlreadyThere as error:
        return _contact(request, found, trouble=_trouble(error), status=409)
    return redirect("contact", found.uuid)


def _contacts(request: SignedIn) -> dict[str, Any]:  # a template's context
    asked = _asked(request)
    found = records.contacts(request.user, words=asked.words, sort=asked.sort, page=asked.page)
    return {"found": found, "asked": asked, "total": access.contacts(request.user).count()}


def _contact(
    request: SignedIn,
    contact: Contact,
    *,
    editing: "Editing | None" = None,
    trouble: "Trouble | None" = None,
    status: int = 200,
) -> HttpResponse:
    context = {"contact": contact, "addresses": _addresses(contact), "editing": editing, "trouble": trouble}
    if editing and _wants_piece(request):
        return _piece(request, "records/_edit_contact.html", context, editing.status)
    limit = _limit(request)
    context |= {
        "months": _months(timeline.of_contact(request.user, contact, limit=limit), contact.first_name),
        "emails": timeline.count(request.user, contact=contact),
        "limit": limit,
        "also": records.colleagues(request.user, contact.company, besides=contact) if contact.company else (),
    }
    return shell.render(
        request, "records/contact.html", context, section="contacts", status=editing.status if editing else status
    )


def _new_contact(request: SignedIn, form: forms.Contact, error: verbs.CannotKeep | None = None) -> HttpResponse:
    blank = {"name": "", "title": "", "phone": "", "company": request.GET.get("company", ""), "addresses": []}
    editing = _editing(request, form, error, blank)
    return _over(
        request,
        "records/_new_contact.html",
        editing,
        page="records/contacts.html",
        around=_contacts,
        section="contacts",
    )


def _contact_values(contact: Contact) -> dict[str, Any]:  # a template's context
    return {
        "name": contact.name,
        "title": contact.title,
        "phone": contact.phone,
        "company": contact.company.name if contact.company else "",
        "addresses": _addresses(contact),
    }


def _addresses(contact: Contact) -> list[str]:
    return list(contact.addresses.order_by("pk").values_list("address", flat=True))


# --- companies --------------------------------------------------------------------------------------------------------


@require_safe
def companies(request: SignedIn) -> HttpResponse:
    """All companies."""
    return shell.render(request, "records/companies.html", _companies(request), section="companies")


@require_safe
def company(request: SignedIn, company: UUID) -> HttpResponse:
    """One company, its people and its emails."""
    return _company(request, access.company(request.user, company))


@require_http_methods(["GET", "POST"])
def new_company(request: SignedIn) -> HttpResponse:
    """A company made by hand."""
    form = _form(request, forms.Company)
    if request.method == "GET":
        return _new_company(request, form)
    if form.is_valid():
        try:
            made = verbs.add_company(form.cleaned_data["name"], _several(request, "domains"), by=request.user)
        except verbs.CannotKeep as error:
            return _new_company(request, form, error)
        return _go(request, "company", made.uuid)
    return _new_company(request, form)


@require_http_methods(["GET", "POST"])
def edit_company(request: SignedIn, company: UUID) -> HttpResponse:
    """A company's details, being changed."""
    found = access.company(request.user, company)
    form = _form(request, forms.Company)
    trouble: verbs.CannotKeep | None = None
    if request.method == "POST" and form.is_valid():
        try:
            verbs.edit_company(found, domains=_several(request, "domains"), by=request.user, **form.cleaned_data)
        except verbs.CannotKeep as error:
            trouble = error
        else:
            return _go(request, "company", found.uuid)
    editing = _editing(request, form, trouble, {"name": found.name, "domains": _domains(found)})
    return _company(request, found, editing=editing)


def _companies(request: SignedIn) -> dict[str, Any]:  # a template's context
    asked = _asked(request)
    found = records.companies(request.user, words=asked.words, sort=asked.sort, page=asked.page)
    return {"found": found, "asked": asked, "total": access.companies(request.user).count()}


def _company(request: SignedIn, company: Company, *, editing: "Editing | None" = None) -> HttpResponse:
    context = {"company": company, "domains": _domains(company), "editing": editing}
    if editing and _wants_piece(request):
        return _piece(request, "records/_edit_company.html", context, editing.status)
    limit = _limit(request)
    context |= {
        "months": _months(timeline.of_company(request.user, company, limit=limit), "its contact"),
        "emails": timeline.count(request.user, company=company),
        "limit": limit,
        "people": records.colleagues(request.user, company),
    }
    status = editing.status if editing else 200
    return shell.render(request, "records/company.html", context, section="companies", status=status)


def _new_company(request: SignedIn, form: forms.Company, error: verbs.CannotKeep | None = None) -> HttpResponse:
    editing = _editing(request, form, error, {"name": "", "domains": []})
    return _over(
        request,
        "records/_new_company.html",
        editing,
        page="records/companies.html",
        around=_companies,
        section="companies",
    )


def _domains(company: Company) -> list[str]:
    return list(company.domains.order_by("pk").values_list("domain", flat=True))


# --- lists ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Asked:
    """What the address asks of a list."""

    words: str
    sort: str
    page: int


def _asked(request: SignedIn) -> Asked:
    sort, page = request.GET.get("sort", ""), request.GET.get("page", "")
    return Asked(
        words=request.GET.get("q", "").strip()[:200],
        sort=sort if sort in records.SORTS else records.SORTS[0],
        page=max(1, int(page)) if page.isascii() and page.isdigit() and len(page) < 7 else 1,
    )


# --- timelines --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Shown:
    """An email on a timeline, as a sentence says it."""

    entry: timeline.Entry
    who: str
    """The sender's first name."""
    to: str
    """The first recipient's."""
    owner: str
    """Whose personal mailbox it lies in, where that is not the viewer's."""
    why: str
    """Said once in a list: through whom it may be read."""

    @property
    def href(self) -> str:
        """The conversation, or the email alone where the mailbox is somebody else's (S10)."""
        if self.entry.mine:
            return resolve_url("thread", self.entry.message.thread.uuid)
        return resolve_url("message", self.entry.message.uuid)


def _months(entries: Sequence[timeline.Entry], record: str) -> Sequence[tuple[str, Sequence[Shown]]]:
    first = next((entry for entry in entries if not entry.mine), None)
    shown = [_shown(entry, record if entry is first else "") for entry in entries]
    return [(month, list(group)) for month, group in groupby(shown, key=lambda one: f"{localtime(one.entry.at):%B %Y}")]


def _shown(entry: timeline.Entry, why: str) -> Shown:
    message = entry.message
    owner = message.account.owner
    return Shown(
        entry=entry,
        who=_first_name(message.from_name) or message.from_address,
        to=entry.to if "@" in entry.to else _first_name(entry.to),
        owner=owner.first_name if owner and not entry.mine else "",
        why=why,
    )


def _first_name(name: str) -> str:
    """How a colleague would call them: ``Carvalho, Inês`` is Inês too."""
    last, comma, first = name.partition(",")
    words = (first if comma and first.strip() else last).split()
    return words[0].strip("\"'") if words else ""


def _limit(request: SignedIn) -> int:
    asked = request.GET.get("emails", "")
    return min(MOST, int(asked)) if asked.isascii() and asked.isdigit() and 0 < len(asked) < 6 else timeline.PAGE


# --- forms ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Trouble:
    """Why something was not kept, and the record that is in the way."""

    words: str
    field: str
    href: str
    record: str


@dataclass(frozen=True)
class Editing:
    """A form: what stands in it, and what is wrong."""

    values: Mapping[str, Any]  # a template's context
    trouble: Trouble | None
    errors: Mapping[str, str]

    @property
    def status(self) -> int:
        """Of the answer it stands in."""
        return 422 if self.trouble or self.errors else 200


def _editing(
    request: SignedIn,
    form: forms.Contact | forms.Company,
    error: verbs.CannotKeep | None,
    begin: Mapping[str, Any],
) -> Editing:
    """What was typed, else what the record says now."""
    values = dict(begin)
    if form.is_bound:
        values |= {name: form[name].value() or "" for name in form.fields}
        values |= {name: _several(request, name) for name in ("addresses", "domains") if name in values}
    return Editing(values, _trouble(error) if error else None, forms.told(form))


def _trouble(error: verbs.CannotKeep) -> Trouble:
    href, name = "", ""
    if isinstance(error, verbs.AlreadyThere):
        kind = "contact" if isinstance(error.record, Contact) else "company"
        href, name = resolve_url(kind, error.record.uuid), error.record.name
    return Trouble(str(error), error.field, href, name)


def _form(request: SignedIn, form: type[F]) -> F:
    return form(request.POST if request.method == "POST" else None)


def _several(request: SignedIn, name: str) -> list[str]:
    """A field that stands there as often as it is needed."""
    return [value.strip()[:254] for value in request.POST.getlist(name)[:100] if value.strip()]


def _over(
    request: SignedIn,
    piece: str,
    editing: Editing,
    *,
    page: str,
    around: Callable[[SignedIn], dict[str, Any]],
    section: shell.Section,
) -> HttpResponse:
    """A dialog for a page that asks for one, else over its list."""
    if request.headers.get("HX-Target") == "dialog":
        return _piece(request, piece, {"editing": editing}, editing.status)
    if _wants_piece(request):
        return _piece(request, "connecting/_dialog.html", {"editing": editing, "piece": piece}, editing.status)
    context = {**around(request), "editing": editing, "dialog": piece}
    return shell.render(request, page, context, section=section, status=editing.status)


def _piece(request: SignedIn, template: str, context: Mapping[str, Any], status: int) -> HttpResponse:
    """Part of a page. Not kept by the browser: under the same address there is a whole one."""
    response = render(request, template, context, status=status)
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _wants_piece(request: HttpRequest) -> bool:
    return request.headers.get("HX-Request") == "true"


def _go(request: SignedIn, name: str, uuid: UUID) -> HttpResponse:
    where = resolve_url(name, uuid)
    return HttpResponseClientRedirect(where) if _wants_piece(request) else redirect(where)
