"""A session is a conversation over a wire: commands go out together, answers are handed to whoever waits for them."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from rapport.providers.errors import Refused, TryLater, Unreachable
from rapport.providers.imap import refusals
from rapport.providers.imap.client import Client, IllegalCommand, State
from rapport.providers.imap.commands import Command, Unspeakable, plain
from rapport.providers.imap.lexer import MessageTooLarge, ProtocolError
from rapport.providers.imap.responses import Exists, Expunged, Fetched, Response, Status, Vanished
from rapport.providers.imap.wire import Wire

WINDOW = 4
"""Commands in flight: enough that a distant server never waits for us, few enough that it can forget them."""
FAREWELL_SECONDS = 2.0
UNASKED = 1_000_000
"""Responses to one command, beside four for each message of the folder; beyond, the server only wants to talk ..."""
MOST = 10_000_000
"""... and no folder has more messages than this."""
PLACES = 10_000

T = TypeVar("T")
Hear = Callable[[Response], object]
"""Takes note of a response."""


class Session:
    """One connection to one server. After any TryLater it is closed."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.client = Client()
        self.exists = 0
        """How many messages the selected folder has by now."""
        self.changed = False
        """Whether anything changed in the selected folder since this was last set to False."""
        self._places: dict[int, int] = {}
        """UIDs by position, as long as nothing moves: a message too large may not say which it is."""
        self._answers: dict[str, Status] = {}
        self._unasked = 0
        self._turn = 0
        self._leaving = False

    def run(self, commands: Sequence[Command], hear: Hear | None = None) -> list[Status]:
        """Send all of them at once, and wait for all the answers, in order. A NO or BAD is returned, not raised."""
        self.settle()
        tags = [self._say(command) for command in commands]
        while not all(tag in self._answers for tag in tags):
            self._hear(self.next(), hear)
        return [self._answers.pop(tag) for tag in tags]

    def stream(
        self, commands: Sequence[Command], *, partial: bool = False, message_limit: int = 0
    ) -> Iterator[Response]:
        """Send them a few at a time, and yield all there is to hear but their OKs, as it comes.

        A NO is raised when it comes; with ``partial``, one that is no reason to stop is yielded instead. Whoever stops
        early loses the rest, which the next command skips; going on after another command was run is a mistake.
        """
        self.settle()
        # Stays until these are settled: what is skipped later may be large too.
        self.client.lexer.message_limit = message_limit
        turn, left, running = self._turn, deque(commands), deque[str]()
        while left or running:
            while left and len(running) < WINDOW:
                running.append(self._say(left.popleft()))
            response = self.next()
            if isinstance(response, Status) and response.tag in running:
                running.remove(response.tag)
                self._unasked = 0
                if response.kind == "OK" or refusals.only_some_gone(response):
                    continue
                refusal = refusals.of_command(response, "reading messages")
                if not (partial and isinstance(refusal, Refused)):
                    raise refusal
            self._count()
            yield response
            if turn != self._turn:
                raise RuntimeError("Another command was run while messages were being read.")

    def settle(self) -> None:
        """Hear out what an abandoned stream left behind."""
        self._turn += 1
        while self.client.outstanding():
            self._hear(self.next(), None)
        self.client.lexer.message_limit = 0
        self._answers.clear()
        self._unasked = 0

    def next(self) -> Response:
        """The next response, whatever it is. A BYE is raised, unless we asked for it."""
        self.flush()
        while True:
            response = self.ready()
            if response is not None:
                return response
            self._feed(self.wire.read)

    def ready(self) -> Response | None:
        """The next response of those already read."""
        before = self.client.state
        try:
            response = self.client.response()
        except MessageTooLarge as error:
            self.close()
            # The rest of that message is still on its way, so the connection has to go; the next one skips it.
            uid = error.uid or self._places.get(error.position)
            sentence = f"Message {uid or '?'} of {error.size} octets is too large to be fetched."
            raise Refused(sentence, uid=uid) from error
        except ProtocolError as error:
            self.close()
            raise Unreachable("protocol", str(error)) from error
        if isinstance(response, Status) and response.kind == "BYE" and not response.tag:
            self._goodbye(response, before)
        self._watch(response)
        return response

    def forget(self) -> None:
        """What was known of the folder that was selected."""
        self.exists = 0
        self._places.clear()

    def compress(self) -> bool:
        """Have both sides pack from here on (RFC 4978), and say whether the server agreed."""
        [answer] = self.run([plain("COMPRESS", b"DEFLATE")])
        if answer.kind != "OK":
            return False
        # What came after the answer is packed already.
        self.wire.pack(self.client.lexer.spill())
        return True

    def flush(self) -> None:
        """Send what is queued."""
        data = self.client.outgoing()
        if data:
            self._guarded(lambda: self.wire.send(data))

    def read_ready(self) -> bool:
        """Take in what can be read without waiting, and say whether that was anything."""
        data = self._guarded(self.wire.read_ready)
        if data:
            self.client.feed(data)
        return bool(data)

    def close(self) -> None:
        """Without a word. Never raises."""
        self.client.state = State.OVER
        self.wire.close()

    def _say(self, command: Command) -> str:
        if self.client.state is State.OVER:
            raise Unreachable("lost", "The connection was closed.")
        return self.client.say(command)

    def _hear(self, response: Response, hear: Hear | None) -> None:
        if isinstance(response, Status) and response.tag:
            self._answers[response.tag] = response
            self._unasked = 0
        else:
            if hear:
                hear(response)
            self._count()

    def _count(self) -> None:
        self._unasked += 1
        if self._unasked > UNASKED + 4 * min(self.exists, MOST):
            self.close()
            raise Unreachable("protocol", "The server talks without end.")

    def _watch(self, response: Response | None) -> None:
        """What every response may tell of the selected folder."""
        if isinstance(response, Exists):
            self.exists = response.count
        elif isinstance(response, Fetched):
            if response.uid and len(self._places) < PLACES:
                self._places[response.sequence] = response.uid
        elif isinstance(response, Expunged):
            self.exists = max(0, self.exists - 1)
            self._places.clear()
        elif isinstance(response, Vanished) and not response.earlier:
            self.exists = max(0, self.exists - len(response.uids))
            self._places.clear()
        self.changed = self.changed or isinstance(response, Exists | Expunged | Vanished | Fetched)

    def _goodbye(self, status: Status, before: State) -> None:
        if self._leaving:
            return
        self.close()
        stranger = before in (State.SILENT, State.STRANGER)
        raise refusals.of_sign_in(status) if stranger else refusals.of_goodbye(status)

    def leave(self) -> None:
        """Say LOGOUT, wait a moment for the answer, close. Never raises."""
        try:
            if self.client.state is not State.OVER and not self.client.outstanding():
                self._leaving = True
                self.wire.socket.settimeout(FAREWELL_SECONDS)
                self.run([plain("LOGOUT")])
        except (TryLater, Refused, OSError, IllegalCommand):
            pass  # We are going anyway.
        finally:
            self.close()

    def _feed(self, read: Callable[[], bytes]) -> None:
        self.client.feed(self._guarded(read))

    def _guarded(self, act: Callable[[], T]) -> T:
        try:
            return act()
        except TryLater:
            self.close()
            raise


def speakable(make: Callable[[], Command]) -> Command:
    """A command, or Refused where its arguments cannot be said at all (R35)."""
    try:
        return make()
    except Unspeakable as error:
        raise Refused(str(error)) from error


def demand(status: Status, what: str) -> Status:
    """The answer, if it is OK; else the error that it means."""
    if status.kind != "OK":
        raise refusals.of_command(status, what)
    return status
