"""What happens while a page is open, told to it as it happens: numbers only, and only of what its reader may see."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from importlib import import_module

from django.conf import settings
from django.contrib.auth import get_user
from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.views.decorators.http import require_GET

from rapport import access
from rapport.database import wake
from rapport.events import models as events
from rapport.events.models import Event
from rapport.people.models import User
from rapport.web.shell import SignedIn

LOOK_EVERY = 0.1
"""Seconds between two looks at whether anything was written, where the database does not say so by itself."""
ASK_AGAIN = 4.0
"""Seconds after which a listener's session and rights are asked again (R4 allows 5)."""
STILL_HERE = 20.0
"""Seconds of silence after which the stream says that it lives, so that nothing on the way closes it."""
MANY = 200
"""More than that many events at once, and the page looks at everything again."""


@require_GET
async def stream(request: SignedIn) -> HttpResponseBase:
    """One stream per tab: what changed after the last event it heard."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        return HttpResponse(status=403)
    asked = request.headers.get("Last-Event-ID") or request.GET.get("since", "")
    listener = Listener(
        session=request.session.session_key or "",
        last=int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 19 else None,  # a bigint
    )
    response = StreamingHttpResponse(_telling(listener), content_type="text/event-stream")
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"
    return response


@dataclass(eq=False)
class Listener:
    """An open page."""

    session: str
    last: int | None
    """The last event it was told, or ``None`` for from now on."""
    user: User | None = None
    asked_at: float = 0.0
    up_to_date: bool = False
    loop: asyncio.AbstractEventLoop | None = None
    words: "asyncio.Queue[str | None]" = field(default_factory=asyncio.Queue)

    def tell(self, words: str | None) -> None:
        """Say something from another thread; ``None`` is the end."""
        if self.loop and not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self.words.put_nowait, words)


async def _telling(listener: Listener) -> AsyncIterator[str]:
    listener.loop = asyncio.get_running_loop()
    WATCH.add(listener)
    try:
        yield "retry: 2000\n\n"
        while True:
            try:
                words = await asyncio.wait_for(listener.words.get(), STILL_HERE)
            except TimeoutError:
                yield ": still here\n\n"
                continue
            if words is None:
                yield "event: bye\ndata: signed out\n\n"
                return
            yield words
    finally:
        WATCH.remove(listener)


class Watch:
    """One thread that looks at the database for every stream of this process."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def add(self, listener: Listener) -> None:
        """Somebody opens a page."""
        with self._lock:
            self._listeners.append(listener)
            if self._thread is None:
                self._thread = threading.Thread(target=self._look, name="live", daemon=True)
                self._thread.start()

    def remove(self, listener: Listener) -> None:
        """Somebody closes one."""
        with self._lock:
            self._listeners.remove(listener)

    def _look(self) -> None:
        """Look until nobody listens any more."""
        ear = wake.listen()
        try:
            while listeners := self._present():
                try:
                    _round(listeners, changed=ear.wait(LOOK_EVERY))
                except Exception:  # noqa: BLE001  # a busy database is looked at again; a stream must not die of it
                    ear.close()
                    connection.close()
                    time.sleep(LOOK_EVERY)
        finally:
            ear.close()
            connection.close()

    def _present(self) -> Sequence[Listener]:
        with self._lock:
            if not self._listeners:
                self._thread = None
            return list(self._listeners)


WATCH = Watch()


def _round(listeners: Iterable[Listener], *, changed: bool) -> None:
    for listener in listeners:
        if time.monotonic() - listener.asked_at > ASK_AGAIN or not listener.asked_at:
            _ask_again(listener)
        if listener.user and (changed or not listener.up_to_date):
            _catch_up(listener, listener.user)


def _ask_again(listener: Listener) -> None:
    """Whether the session still stands for somebody who is still here (R4)."""
    probe = HttpRequest()
    probe.session = import_module(settings.SESSION_ENGINE).SessionStore(listener.session)
    user = get_user(probe) if listener.session else None
    if listener.asked_at == 0.0 or listener.user:
        listener.user = user if isinstance(user, User) else None
        if listener.user is None:
            listener.tell(None)
    listener.asked_at = time.monotonic()


def _catch_up(listener: Listener, user: User) -> None:
    """Tell what happened after the last it heard."""
    newest = events.newest()
    if listener.last is None:
        listener.last = newest
    elif listener.last > newest:
        # Another database, or an older copy of it: everything may be different.
        listener.last = newest
        listener.tell(_event(newest, "all", "again"))
    elif listener.last < newest:
        new = events.after(listener.last, MANY + 1)
        told = heard(user, new) if len(new) <= MANY else [_event(newest, "all", "again")]
        listener.last = newest if len(new) > MANY else new[-1].pk if new else newest
        for words in told:
            listener.tell(words)
    listener.up_to_date = True


def heard(user: User, new: Sequence[Event]) -> list[str]:
    """Those events that are about what this person may see, each thing once, as the stream says them."""
    about = {kind: {event.about for event in new if event.kind == kind} for kind in Event.Kind}
    seen = {
        Event.Kind.THREAD: access.threads(user).filter(pk__in=about[Event.Kind.THREAD]),
        Event.Kind.ACCOUNT: access.accounts(user).filter(pk__in=about[Event.Kind.ACCOUNT]),
        Event.Kind.CONTACT: access.contacts(user).filter(pk__in=about[Event.Kind.CONTACT]),
        Event.Kind.COMPANY: access.companies(user).filter(pk__in=about[Event.Kind.COMPANY]),
    }
    names = {
        (kind, pk): uuid for kind, rows in seen.items() if about[kind] for pk, uuid in rows.values_list("pk", "uuid")
    }
    said: dict[tuple[str, int], tuple[int, bool]] = {}
    for event in new:
        key = (event.kind, event.about)
        _, arrived_before = said.pop(key, (0, False))
        arrived = event.arrived or arrived_before
        said[key] = (event.pk, arrived)
    return [
        _event(number, kind, f"{names[Event.Kind(kind), pk]} {'arrived' if arrived else 'changed'}")
        for (kind, pk), (number, arrived) in said.items()
        if (Event.Kind(kind), pk) in names
    ]


def _event(number: int, kind: str, words: str) -> str:
    return f"id: {number}\nevent: {kind}\ndata: {words}\n\n"
