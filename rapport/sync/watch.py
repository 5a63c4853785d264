"""Listening to idle inboxes: many sockets, one thread. A signal only ever says *look now*; losing one costs time."""

import logging
import random
import selectors
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from rapport.providers.errors import ProviderError
from rapport.providers.imap import Idle

log = logging.getLogger(__name__)

RENEW = (9 * 60.0, 14 * 60.0)
"""Seconds after which IDLE is entered anew: before servers and address translators give up (RFC 2177; B4)."""
_CHANCE = random.Random()  # noqa: S311  # spreads renewals; nothing secret


@dataclass
class _Watched:
    idle: Idle
    renew_at: float = 0.0
    socket: int = -1
    """Its number, which the selector has to be told even when it is closed already."""

    def __post_init__(self) -> None:
        self.socket = self.idle.fileno()
        self.put_off()

    def put_off(self) -> None:
        """Count anew until it is renewed; sooner where the server drops whoever is silent (its profile says so)."""
        self.renew_at = time.monotonic() + (self.idle.keepalive or _CHANCE.uniform(*RENEW))


class Watch:
    """The inboxes listened to. ``heard(account)`` is called from the watching thread: it must be quick."""

    def __init__(self, heard: Callable[[int], None]) -> None:
        self._heard = heard
        self._selector = selectors.DefaultSelector()
        self._watched: dict[int, _Watched] = {}
        self._lock = threading.Lock()

    def watches(self, account: int) -> bool:
        """Whether this account's inbox is listened to now."""
        return account in self._watched

    def add(self, account: int, idle: Idle) -> None:
        """Listen to an inbox. What changed before IDLE began is heard at once: nobody knows whether something did."""
        idle.start()
        with self._lock:
            self._watched[account] = watched = _Watched(idle)
            self._selector.register(watched.socket, selectors.EVENT_READ, account)
        self._heard(account)

    def drop(self, account: int) -> None:
        """Stop listening to an inbox."""
        with self._lock:
            watched = self._watched.pop(account, None)
            if watched:
                self._selector.unregister(watched.socket)
        if watched:
            watched.idle.close()

    def turn(self, seconds: float) -> None:
        """Wait this long at most, and pass on what was heard."""
        if not self._watched:
            time.sleep(seconds)
            return
        for key, _ in self._selector.select(seconds):
            self._listen(key.data)
        for account, watched in list(self._watched.items()):
            if time.monotonic() >= watched.renew_at:
                self._renew(account, watched)

    def close(self) -> None:
        """Stop listening to everything."""
        for account in list(self._watched):
            self.drop(account)

    def _listen(self, account: int) -> None:
        watched = self._watched.get(account)
        if watched is None:
            return
        try:
            changed = watched.idle.changed()
        except ProviderError as error:
            # The connection ended. The account's next pass finds out why; until it is watched again it is polled.
            log.info("account %s is no longer watched: %s", account, error)
            self.drop(account)
            changed = True
        if changed:
            self._heard(account)

    def _renew(self, account: int, watched: _Watched) -> None:
        try:
            watched.idle.renew()
            watched.put_off()
        except ProviderError:
            self.drop(account)
            self._heard(account)
