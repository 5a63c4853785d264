"""Connecting a mailbox, in three steps: type, sign-in, what to sync.

Each step is a page by itself, and the same piece inside a dialog over whatever page asked for it.
The password is only ever on its way in: no page of ours has one in it (R30).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render, resolve_url
from django.utils.timezone import now
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.http import HttpResponseClientRedirect

from rapport import access
from rapport.connect import add, test, typed
from rapport.connect.test import FoundFolder, Settings, TooLate
from rapport.mail.models import Account, Folder
from rapport.web import forms, inbox, shell
from rapport.web.outcome import DEFAULT_PERIOD, Outcome
from rapport.web.shell import SignedIn

PORTS = {
    "incoming": {"ssl": 993, "starttls": 143, "none": 143},
    "outgoing": {"ssl": 465, "starttls": 587, "none": 587},
}
KEPT = ("address", "username", "incoming_host", "incoming_port", "incoming_security", "incoming_pin",
        "outgoing_host", "outgoing_port", "outgoing_security", "outgoing_pin")  # fmt: skip
"""What goes back into the form: everything but the password."""


@never_cache
@require_safe
def start(request: SignedIn, kind: str) -> HttpResponse:
    """Step 1: who works in it, and where it is."""
    _may_connect(request, kind)
    if "who" in request.GET:
        chosen = request.GET["who"]
        _may_connect(request, chosen)
        return redirect("connect-servers", chosen)
    context = {"kind": kind, "may_connect_shared": access.may_connect_shared(request.user)}
    return _step(request, "connecting/_start.html", context)


@never_cache
@sensitive_variables("password", "form")
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def servers(request: SignedIn, kind: str) -> HttpResponse:
    """Step 2: the servers. POST tests them and says what happened; nothing is stored until they accept the sign-in."""
    _may_connect(request, kind)
    if request.method == "GET":
        return _step(request, "connecting/_servers.html", {"kind": kind, **_fields(_given(request))})
    form = forms.Servers(request.POST)
    if not form.is_valid():
        return _tested(request, kind, Outcome(errors=forms.told(form)))
    settings, password = _settings(form, kind), form.cleaned_data["password"]
    result = test.try_out(settings, password, by=request.user)
    kept = test.keep(request.user, settings, password, result).uuid if result.passed else None
    return _tested(request, kind, Outcome(settings=settings, result=result, kept=kept))


@never_cache
@sensitive_variables("_password")
@require_http_methods(["GET", "POST"])
def what(request: SignedIn, kind: str, tested: UUID) -> HttpResponse:
    """Step 3: which folders, since when. POST connects exactly what was tested."""
    _may_connect(request, kind)
    try:
        settings, _password, found, per_period = test.kept(request.user, tested)
    except TooLate:
        return _too_late(request, kind, tested)
    if settings.kind != kind:
        raise Http404
    if request.method == "GET":
        return _what(request, tested, settings, found, per_period)
    form = forms.What(request.POST)
    if not form.is_valid():
        return _what(request, tested, settings, found, per_period, trouble="Choose since when to sync.")
    first = _is_first(request)
    try:
        account = add.from_tested(tested, by=request.user, folders=_chosen(request.POST, found), **form.cleaned_data)
    except TooLate:
        return _too_late(request, kind, tested)
    except add.CannotConnect as error:
        return _what(request, tested, settings, found, per_period, trouble=str(error))
    return _go(request, _where(request, account, first=first))


# --- step 2 -----------------------------------------------------------------------------------------------------------


def _tested(request: SignedIn, kind: str, outcome: Outcome) -> HttpResponse:
    """Only the result goes back to a page that has the form: what was typed stays typed."""
    status = 200 if outcome.kept else 422
    if _htmx_target(request) == "res":
        return render(
            request, "connecting/_result.html", {"kind": kind, "outcome": outcome, "piece": True}, status=status
        )
    context = {"kind": kind, "outcome": outcome, **_fields(request.POST)}
    return _step(request, "connecting/_servers.html", context, status=status)


def _given(request: SignedIn) -> Mapping[str, str]:
    """What the form begins with: on the way back from step 3, what was typed."""
    again = _uuid(request.GET.get("again", ""))
    settings = typed.again(request.user, again) if again else None
    if settings:
        return _typed(settings)
    address = request.GET.get("address", "").strip()[:254]
    return {"address": address}


def _fields(given: Mapping[str, str] | QueryDict) -> dict[str, Any]:  # a template's context
    """The form's values: what was typed, without the password, over the usual ports."""
    usual = {"incoming_port": "993", "incoming_security": "ssl", "outgoing_port": "465", "outgoing_security": "ssl"}
    values = {name: given.get(name) or usual.get(name, "") for name in KEPT}
    return {"values": values, "securities": forms.SECURITIES, "ports": PORTS}


def _settings(form: forms.Servers, kind: str) -> Settings:
    told = form.cleaned_data
    return typed.settings(
        address=told["address"],
        kind=kind,
        username=told["username"],
        incoming=form.server("incoming"),
        outgoing=form.server("outgoing"),
    )


def _too_late(request: SignedIn, kind: str, tested: UUID) -> HttpResponse:
    """What was tested waited too long: back to step 2, with everything but the password."""
    settings = typed.again(request.user, tested)
    if settings is None or settings.kind != kind:
        raise Http404
    context = {"kind": kind, "late": True, **_fields(_typed(settings))}
    return _step(request, "connecting/_servers.html", context)


def _typed(settings: Settings) -> Mapping[str, str]:
    values = {"address": settings.address, "username": settings.username}
    for side, endpoint in (("incoming", settings.incoming), ("outgoing", settings.outgoing)):
        values[f"{side}_host"] = endpoint.host
        values[f"{side}_port"] = str(endpoint.port)
        values[f"{side}_security"] = endpoint.security.value
        values[f"{side}_pin"] = endpoint.pinned
    return values


# --- step 3 -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Choice:
    """A folder that can be chosen."""

    folder: FoundFolder
    name: str
    icon: str
    on: bool
    note: str


_FIRST = [
    Folder.Role.INBOX, Folder.Role.SENT, Folder.Role.DRAFTS, Folder.Role.ARCHIVE, Folder.Role.NONE,
    Folder.Role.ALL, Folder.Role.FLAGGED, Folder.Role.SPAM, Folder.Role.TRASH,
]  # fmt: skip
NOTES = {
    "sent": "What you send is always saved here",
    "trash": "Not part of the first sync",
    "spam": "Not part of the first sync",
}


def _what(
    request: SignedIn,
    tested: UUID,
    settings: Settings,
    found: Sequence[FoundFolder],
    per_period: Mapping[str, int],
    *,
    trouble: str = "",
) -> HttpResponse:
    posted = request.method == "POST"
    chosen = request.POST.getlist("folders") if posted else _default(found)
    context = {
        "kind": settings.kind,
        "tested": tested,
        "short": settings.address.partition("@")[0] + "@",
        "trouble": trouble,
        "theirs": _already(request, settings) if trouble else None,
        "choices": [_choice(folder, chosen) for folder in _in_order(found)],
        "total": sum(folder.selectable for folder in found),
        "chosen": len(chosen),
        "periods": _periods(per_period),
        "period": request.POST.get("period", "") if posted else DEFAULT_PERIOD,
        "create_contacts": "create_contacts" in request.POST if posted else True,
    }
    return _step(request, "connecting/_what.html", context, status=422 if trouble else 200)


def _already(request: SignedIn, settings: Settings) -> Account | None:
    """The account that is in the way, if this person may open it."""
    return access.accounts(request.user).filter(address=settings.address).first()


def _default(found: Sequence[FoundFolder]) -> list[str]:
    return [folder.wire for folder in found if folder.selectable and folder.role in test.DEFAULT_ROLES]


def _in_order(found: Sequence[FoundFolder]) -> list[FoundFolder]:
    """As the sidebar has them, each with what lies in it right below."""
    trees: list[list[FoundFolder]] = []
    for folder in found:
        if folder.depth and trees:
            trees[-1].append(folder)
        else:
            trees.append([folder])
    trees.sort(key=lambda tree: _FIRST.index(Folder.Role(tree[0].role)))
    return [folder for tree in trees for folder in tree]


def _choice(folder: FoundFolder, chosen: Sequence[str]) -> Choice:
    role = Folder.Role(folder.role)
    return Choice(
        folder=folder,
        name=shell.NAMES.get(role, folder.leaf),
        icon=shell.ICONS[role],
        on=folder.wire in chosen,
        note=NOTES.get(folder.role, ""),
    )


@dataclass(frozen=True)
class Period:
    """One choice of how far back."""

    value: str
    label: str
    hint: str


def _periods(per_period: Mapping[str, int]) -> Sequence[Period]:
    return [Period(value, label, _meaning(value, per_period.get(value))) for value, label in forms.PERIODS]


def _meaning(period: str, emails: int | None) -> str:
    """What the choice brings in."""
    if period == "now":
        return "Only what arrives from now on."
    start = test.period_start(period, now())
    since = f"since {start.day} {start:%b %Y}" if start else "of all times"
    if emails is None:
        return f"Everything {since}."
    return f"About {emails:,} {'email' if emails == 1 else 'emails'}, {since}." if emails else f"No emails {since}."


def _chosen(posted: QueryDict, found: Sequence[FoundFolder]) -> Sequence[str]:
    """Only folders that the test has found."""
    wanted = set(posted.getlist("folders"))
    return [folder.wire for folder in found if folder.selectable and folder.wire in wanted]


def _where(request: SignedIn, account: Account, *, first: bool) -> str:
    """The new mailbox's inbox; the first one is watched coming in."""
    if first:
        return resolve_url("welcome-syncing", account.uuid)
    opens = access.folders(request.user).filter(account=account, role=Folder.Role.INBOX).first()
    return resolve_url("folder", opens.uuid) if opens else resolve_url("inbox")


# --- every step -------------------------------------------------------------------------------------------------------


def _may_connect(request: SignedIn, kind: str) -> None:
    """A shared mailbox is the administrators' to connect; for others this page does not exist (S7)."""
    if kind not in dict(forms.KINDS) or (kind == "shared" and not access.may_connect_shared(request.user)):
        raise Http404


def _is_first(request: SignedIn) -> bool:
    """An administrator without any mailbox is still setting up."""
    return access.may_administer(request.user) and not access.accounts(request.user).exists()


def _step(request: SignedIn, piece: str, context: Mapping[str, Any], *, status: int = 200) -> HttpResponse:
    """The step alone for the dialog that is open, the dialog for a page that asks for one, else a whole page."""
    handed = {**context, "piece": piece}
    if _htmx_target(request) == "dialog":
        return render(request, piece, handed, status=status)
    if request.headers.get("HX-Request") == "true":
        return render(request, "connecting/_dialog.html", handed, status=status)
    if _is_first(request):
        return render(request, "connecting/first.html", {**handed, "step": 2}, status=status)
    return shell.render(request, "connecting/show.html", handed | _behind(request), section="inbox", status=status)


def _behind(request: SignedIn) -> dict[str, Any]:  # a template's context
    """The inbox, over which the dialog stands."""
    if not access.accounts(request.user).exists():
        return {"behind": "inbox/no_mailbox.html"}
    return {"behind": "inbox/show.html", "list": inbox.page(request, None), "view": "list"}


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _htmx_target(request: SignedIn) -> str:
    return request.headers.get("HX-Target", "") if request.headers.get("HX-Request") == "true" else ""


def _go(request: SignedIn, where: str) -> HttpResponse:
    return HttpResponseClientRedirect(where) if request.headers.get("HX-Request") == "true" else redirect(where)
