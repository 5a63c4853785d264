"""Pages for when something is not there, was refused, or broke."""

import logging
import secrets

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from rapport.people.models import User
from rapport.web import shell

log = logging.getLogger(__name__)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001  # Django's call
    """Not there, or not for this person: the same page (R3)."""
    if isinstance(getattr(request, "user", None), User) and not _for_htmx(request):
        return shell.render(request, "errors/not_found_inside.html", status=404)
    return HttpResponse(render_to_string("errors/not_found.html"), status=404)


@login_not_required
def failed(request: HttpRequest) -> HttpResponse:  # noqa: ARG001  # Django's call
    """Something broke. Asks nothing of the database, and names a number that the log has too."""
    number = f"{secrets.token_hex(2)}-{secrets.token_hex(2)}"
    log.error("The page that failed above was shown as %s", number)
    return HttpResponse(render_to_string("errors/failed.html", {"number": number}), status=500)


@login_not_required
def not_from_here(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form that did not come from a page of ours, or came from one that was too old (R48)."""
    log.warning("Refused a form to %s: %s", request.path, reason)
    return HttpResponse(render_to_string("errors/not_from_here.html"), status=403)


def _for_htmx(request: HttpRequest) -> bool:
    return request.headers.get("HX-Request") == "true"
