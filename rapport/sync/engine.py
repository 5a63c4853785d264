"""The engine's process: passes when they are due or heard of, watched inboxes, due work; and stopping politely."""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from django.db import DatabaseError, close_old_connections, connection
from django.utils.timezone import now

from rapport.blobs import keep
from rapport.connect import opening
from rapport.database import wake
from rapport.events.models import forget_old
from rapport.mail.models import Account, Folder
from rapport.mime.child import Parsers
from rapport.providers.errors import ProviderError
from rapport.sync import hold, worker
from rapport.sync.watch import Watch
from rapport.work.loop import Jobs, run_due

log = logging.getLogger(__name__)

THREADS = 6
"""Passes at once."""
TURN = 20.0
"""Seconds of fetching after which an account waits for its next turn."""
LOOK = 0.05
"""Seconds between two looks at whether a page wrote something, where the database does not say so by itself."""
AT_LEAST = 1.0
"""Seconds between two looks at what is due though nothing was written."""
WATCH_AGAIN = 60.0
"""Seconds before an inbox that could not be watched is tried again."""
HOURLY = 3600.0


class Engine:
    """Keeps every account in step until it is told to stop."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs
        self._stopping = threading.Event()
        self._watch = Watch(self._heard)
        self._parsers = Parsers(2)
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="pass")
        self._lock = threading.Lock()
        self._running: set[int] = set()
        self._dirty: set[int] = set()
        self._watch_after: dict[int, float] = {}

    def stop(self) -> None:
        """Finish what is being committed, begin nothing new."""
        self._stopping.set()

    def run(self) -> None:
        """Until ``stop``. Returns when every pass has ended."""
        watching = threading.Thread(target=self._listen, name="watch")
        watching.start()
        try:
            self._loop()
        finally:
            self._stopping.set()
            watching.join()
            self._watch.close()
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._parsers.close()

    def _loop(self) -> None:
        # What the process before us put off is due now, unless a server asked to be left alone.
        Account.objects.filter(attempts=0).update(next_pass=None)
        ear = wake.listen()
        looked = forgot = 0.0
        try:
            while not self._stopping.is_set():
                heard = self._hear(ear)
                if heard or self._dirty or time.monotonic() - looked > AT_LEAST:
                    looked = time.monotonic()
                    self._guarded(lambda: self._begin_due(now()))
                    self._guarded(lambda: run_due(self._jobs))
                if time.monotonic() - forgot > HOURLY:
                    forgot = time.monotonic()
                    self._guarded(forget_old)
                    self._guarded(keep.tidy)
        finally:
            ear.close()
            connection.close()

    def _hear(self, ear: wake.Wake) -> bool:
        """Wait a little; whether something was written. A database that is away is asked again after a moment."""
        try:
            return ear.wait(LOOK)
        except DatabaseError as error:
            log.warning("the database is away: %s", error)
            connection.close()
            self._stopping.wait(AT_LEAST)
            return True

    def _begin_due(self, at: datetime) -> None:
        with self._lock:
            heard, self._dirty = self._dirty - self._running, self._dirty & self._running
        due = {account.pk: account for account in worker.due(at)}
        for account in due.values():
            self._begin(account, inbox_only=False)
        for account in Account.objects.filter(pk__in=heard - set(due)).exclude(state=Account.State.REFUSED):
            self._begin(account, inbox_only=True)

    def _begin(self, account: Account, *, inbox_only: bool) -> None:
        with self._lock:
            if account.pk in self._running:
                return
            self._running.add(account.pk)
        self._pool.submit(self._and_done, account, inbox_only=inbox_only)

    def _and_done(self, account: Account, *, inbox_only: bool) -> None:
        try:
            self._guarded(lambda: self._pass(account, inbox_only=inbox_only))
        finally:
            close_old_connections()
            with self._lock:
                self._running.discard(account.pk)

    def _guarded(self, act: Callable[[], object]) -> None:
        try:
            act()
        except Exception:  # The one place that catches everything: one account's bug must not stop the others.
            log.exception("a pass failed")
            # Should its connection be broken, the next one begins with another.
            connection.close_if_unusable_or_obsolete()

    def _pass(self, account: Account, *, inbox_only: bool) -> None:
        try:
            worker.sync(
                account,
                self._parsers,
                inbox_only=inbox_only,
                seconds=TURN,
                news=lambda: self._heard_of(account.pk),
            )
        except worker.Trouble as error:
            log.info("%s: %s", account, error)
            self._watch.drop(account.pk)
        except (hold.Lost, worker.Busy):
            log.info("%s is held by another worker", account)
        else:
            self._watch_inbox(account)

    def _watch_inbox(self, account: Account) -> None:
        """Listen to the account's inbox, where its server lets us."""
        if self._watch.watches(account.pk) or time.monotonic() < self._watch_after.get(account.pk, 0.0):
            return
        inbox = account.folders.filter(role=Folder.Role.INBOX, gone_at=None).first()
        if inbox is None or self._stopping.is_set():
            return
        self._watch_after[account.pk] = time.monotonic() + WATCH_AGAIN
        try:
            self._watch.add(account.pk, opening.idle(account, bytes(inbox.wire)))
        except ProviderError as error:
            log.info("%s cannot be watched, so it is polled: %s", account, error)

    def _heard_of(self, account: int) -> bool:
        """Whether this account's inbox has told of something since its pass began; asking is hearing."""
        with self._lock:
            heard = account in self._dirty
            self._dirty.discard(account)
        return heard

    def _heard(self, account: int) -> None:
        with self._lock:
            self._dirty.add(account)

    def _listen(self) -> None:
        while not self._stopping.is_set():
            self._guarded(lambda: self._watch.turn(0.5))
