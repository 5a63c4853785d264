"""Signing in and out."""

from django.conf import settings
from django.contrib.auth import authenticate, login, logout
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from rapport.web.forms import SignIn
from rapport.web.shell import SignedIn

MINUTES = 15


@login_not_required
@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """The door. The answer to a wrong password and to an unknown person is the same, after the same time (R50)."""
    if request.user.is_authenticated:
        return redirect(_next(request))
    if request.method == "GET":
        return _page(request)
    form = SignIn(request.POST)
    user = authenticate(request, **_credentials(form)) if form.is_valid() else None
    if user is None:
        return _page(request, form["address"].value() or "", wrong=True, status=422)
    login(request, user)
    return redirect(_next(request))


@require_POST
def sign_out(request: SignedIn) -> HttpResponse:
    """Out again."""
    logout(request)
    return redirect("sign-in")


def locked_out(
    request: HttpRequest,
    original: HttpResponse | None = None,  # noqa: ARG001  # axes hands it over
    credentials: dict[str, str] | None = None,
) -> HttpResponse:
    """What axes shows to someone who guesses."""
    address = (credentials or {}).get("address") or request.POST.get("address", "")
    response = _page(request, address, paused=True, status=429)
    response["Retry-After"] = str(MINUTES * 60)
    return response


def _credentials(form: SignIn) -> dict[str, str]:
    # By the user model's own field name: axes counts and locks by that, and by nothing else.
    return {"address": form.cleaned_data["address"], "password": form.cleaned_data["password"]}


def _page(
    request: HttpRequest, address: str = "", *, wrong: bool = False, paused: bool = False, status: int = 200
) -> HttpResponse:
    demo = getattr(settings, "DEMO_SIGN_IN", None)
    context = {
        "address": address or (demo[0] if demo else ""),
        "password": demo[1] if demo else "",
        "demo": demo,
        "wrong": wrong,
        "paused": paused,
        "minutes": MINUTES,
        "tries": settings.AXES_FAILURE_LIMIT,
        "next": request.POST.get("next") or request.GET.get("next", ""),
    }
    return render(request, "signing/show.html", context, status=status)


def _next(request: HttpRequest) -> str:
    """Where they wanted to go, if that is a page of ours."""
    wanted = request.POST.get("next") or request.GET.get("next", "")
    ours = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if ours else resolve_url(settings.LOGIN_REDIRECT_URL)
