"""Being told of changes in one folder (IDLE, RFC 2177), for a watcher that waits on many of them with ``selectors``."""

from rapport.providers.imap import commands, refusals
from rapport.providers.imap.responses import Exists, Expunged, Fetched, Other, Response, Status, Vanished
from rapport.providers.imap.session import Session


class Idle:
    """An IDLE on the folder that is selected. A signal only says *look*; what changed is for the look to find out.

    Look once after ``start``: what changed before it is no news to the server. Ask ``changed`` once after ``start`` and
    ``renew``, because some news may have been read already, and then whenever ``fileno`` is readable.
    """

    def __init__(self, session: Session, *, keepalive: int = 0) -> None:
        self._session = session
        self.keepalive = keepalive
        """Seconds after which this server wants ``renew``; 0: what is usual."""
        self._news = False

    def fileno(self) -> int:
        """For ``selectors``."""
        return self._session.wire.socket.fileno()

    def start(self) -> None:
        """Enter IDLE; returns when the server agreed."""
        self._session.settle()
        self._session.client.say(commands.idle())
        while not self._session.client.idling:
            response = self._session.next()
            self._heed(response)
            if isinstance(response, Status) and response.tag:
                raise refusals.of_command(response, "waiting for news")

    def changed(self) -> bool:
        """Whether there was news since the last time this was asked. Reads all there is, waits for nothing."""
        while True:
            while (response := self._session.ready()) is not None:
                self._heed(response)
            if not self._session.read_ready():
                break
        news, self._news = self._news, False
        return news

    def renew(self) -> None:
        """Leave and enter again, so that neither the server nor a router forgets us: every 9 to 14 minutes."""
        self.stop()
        self.start()

    def stop(self) -> None:
        """Leave IDLE; the mailbox can be used again. News heard meanwhile is kept for ``changed``."""
        if not self._session.client.idling:
            return
        self._session.client.done()
        while self._session.client.outstanding():
            self._heed(self._session.next())

    def close(self) -> None:
        """Go, without waiting for anybody: a server that was left in IDLE loses nothing. Never raises."""
        self._session.close()

    def _heed(self, response: Response) -> None:
        # With QRESYNC what is expunged has VANISHED (sync.md hazard 27), and if nobody can read which, it is still news.
        news = isinstance(response, Exists | Expunged | Fetched | Vanished) or response == Other("VANISHED")
        self._news = self._news or news
