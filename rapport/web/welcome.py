"""The first three steps: the administrator, the first mailbox, watching it come in."""

from uuid import UUID

from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from rapport import access
from rapport.mail.models import Account, Folder
from rapport.people import verbs as people
from rapport.people.models import User
from rapport.search import run
from rapport.web import forms
from rapport.web.progress import progress
from rapport.web.shell import SignedIn

SHOWN = 3
PASSWORD = 10
"""Characters a password has at least; ``settings.AUTH_PASSWORD_VALIDATORS`` decides."""


@login_not_required
@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def administrator(request: HttpRequest, token: str) -> HttpResponse:
    """The page behind the one-time link: the first person makes themselves known, and is signed in."""
    if not people.link_is_good(token):
        return _link_is_void(request)
    form = forms.Administrator(request.POST or None)
    if request.method == "GET" or not form.is_valid():
        return _administrator(request, form)
    try:
        user = people.first_administrator(token, **form.cleaned_data)
    except people.LinkIsVoid:
        return _link_is_void(request)
    except people.CannotAdd as error:
        return _administrator(request, form, trouble=str(error))
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    return redirect("welcome-mailbox")


@never_cache
@require_safe
def mailbox(request: SignedIn) -> HttpResponse:
    """Which mailbox to begin with; goes on to the connect dialog."""
    shared = access.may_connect_shared(request.user)
    form = forms.Mailbox(request.GET or None)
    if request.GET and form.is_valid():
        where = reverse("connect-servers", args=[form.cleaned_data["who"]])
        return redirect(f"{where}?{urlencode({'address': form.cleaned_data['address']})}")
    context = {
        "step": 2,
        "may_connect_shared": shared,
        "errors": forms.told(form),
        "address": request.GET.get("address", ""),
    }
    return render(request, "welcome/mailbox.html", context, status=422 if form.errors else 200)


@never_cache
@require_safe
def syncing(request: SignedIn, account: UUID) -> HttpResponse:
    """The mailbox coming in, with counts that are true; asked for again every second."""
    watched = access.account(request.user, account)
    context = {"step": 3, "account": watched, **_coming_in(request.user, watched)}
    piece = request.headers.get("HX-Request") == "true"
    return render(request, "welcome/_syncing.html" if piece else "welcome/syncing.html", context)


def _coming_in(user: User, account: Account) -> dict[str, object]:
    inbox = access.folders(user).filter(account=account, role=Folder.Role.INBOX).first()
    mail = access.messages(user).filter(account=account)
    rows = run.conversations(user, folder=inbox, limit=SHOWN).rows if inbox else ()
    return {
        "folder": inbox,
        "rows": rows,
        "list": {"folder": inbox, "open": None, "query": ""},
        "progress": progress(account, run.syncing(user).get(account.pk), mail.count()),
        "contacts": access.contacts(user).filter(links__message__account=account).distinct().count(),
        "companies": access.companies(user).filter(links__message__account=account).distinct().count(),
        "automatic": mail.filter(automatic=True).values("from_address").distinct().count(),
    }


def _administrator(request: HttpRequest, form: forms.Administrator, trouble: str = "") -> HttpResponse:
    context = {
        "step": 1,
        "least": PASSWORD,
        "trouble": trouble,
        "errors": forms.told(form),
        "name": form["name"].value() or "",
        "address": form["address"].value() or "",
    }
    # Not a 4xx, which would write the address, and with it the token, into the log.
    return render(request, "welcome/administrator.html", context)


def _link_is_void(request: HttpRequest) -> HttpResponse:
    """Used, replaced, or never made: all the same page."""
    if isinstance(request.user, User):
        raise Http404
    return render(request, "welcome/void.html", status=404)
