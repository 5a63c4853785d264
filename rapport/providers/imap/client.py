"""The client is the protocol without a socket: commands become bytes, bytes become responses, states are checked.

It keeps what every later command depends on (capabilities, state, what was enabled) and nothing about mail.
"""

from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum

from rapport.providers.imap.commands import Command, flowing
from rapport.providers.imap.lexer import Lexer, ProtocolError
from rapport.providers.imap.parser import code_capability, parse
from rapport.providers.imap.responses import Capability, Continuation, Enabled, Response, Status


class State(StrEnum):
    """RFC 9051 section 3, and the time before the greeting."""

    SILENT = "before the greeting"
    STRANGER = "not signed in"
    SIGNED_IN = "signed in"
    SELECTED = "a folder is selected"
    OVER = "over"


_SELECTED = {"FETCH", "SEARCH"}
_PLACES: tuple[tuple[set[str], tuple[State, ...]], ...] = (
    ({"STARTTLS", "LOGIN", "AUTHENTICATE"}, (State.STRANGER,)),
    ({"ENABLE", "NAMESPACE", "LIST", "STATUS", "SELECT", "IDLE", "COMPRESS"}, (State.SIGNED_IN, State.SELECTED)),
    (_SELECTED, (State.SELECTED,)),
    ({"CAPABILITY", "NOOP", "LOGOUT", "ID"}, (State.STRANGER, State.SIGNED_IN, State.SELECTED)),
)
_ALONE = {"STARTTLS", "LOGIN", "AUTHENTICATE", "IDLE", "COMPRESS"}
"""Nothing is sent behind these before their answer: it could be read under other circumstances."""


class IllegalCommand(RuntimeError):
    """Our own mistake: this command does not belong here (RFC 9051 section 6)."""


@dataclass
class _Pending:
    """A command on its way, with the pieces that still wait for a ``+``."""

    command: Command
    pieces: deque[bytes]


@dataclass
class Client:
    """One conversation with a server."""

    state: State = State.SILENT
    capabilities: frozenset[str] = frozenset()
    enabled: frozenset[str] = frozenset()
    lexer: Lexer = field(default_factory=Lexer)
    _outgoing: bytearray = field(default_factory=bytearray)
    _pending: dict[str, _Pending] = field(default_factory=dict)
    _held: deque[str] = field(default_factory=deque)
    """Tags not yet sent, because one before them waits for a ``+``."""
    _waiting: str = ""
    _count: int = 0
    idling: bool = False

    def say(self, command: Command) -> str:
        """Queue a command, and return its tag. Raises IllegalCommand."""
        self._check(command.verb)
        self._count += 1
        tag = f"A{self._count}"
        said = flowing(command, self.capabilities)
        self._pending[tag] = _Pending(said, deque(said.pieces))
        self._held.append(tag)
        self._advance()
        return tag

    def done(self) -> None:
        """End an IDLE whose ``+`` has come."""
        pending = self._pending.get(self._waiting)
        if not pending or pending.command.verb != "IDLE" or not self.idling:
            raise IllegalCommand("There is no IDLE to end.")
        self._outgoing += pending.pieces.popleft() + b"\r\n"
        self._held.popleft()
        self._waiting = ""
        self.idling = False
        self._advance()

    def outgoing(self) -> bytes:
        """What is to be sent now; once."""
        data = bytes(self._outgoing)
        self._outgoing.clear()
        return data

    def feed(self, data: bytes) -> None:
        """What was read."""
        self.lexer.feed(data)

    def response(self) -> Response | None:
        """The next response, already taken note of, or None until more is fed. Raises ProtocolError."""
        line = self.lexer.line()
        if line is None:
            return None
        response = parse(line)
        self._note(response)
        return response

    def outstanding(self) -> bool:
        """Whether any command was not answered yet."""
        return bool(self._pending)

    def secured(self) -> None:
        """TLS has begun: whatever was said or heard before it never happened (RFC 9051, 11.1; R59)."""
        self.lexer = Lexer()
        self.capabilities = frozenset()

    def _check(self, verb: str) -> None:
        wanted = next((states for verbs, states in _PLACES if verb in verbs), ())
        selecting = any(pending.command.verb == "SELECT" for pending in self._pending.values())
        if self.state not in wanted and not (verb in _SELECTED and selecting):
            raise IllegalCommand(f"{verb} while {self.state}.")
        if self._pending and (verb in _ALONE or any(p.command.verb in _ALONE for p in self._pending.values())):
            raise IllegalCommand(f"{verb} cannot be sent together with another command.")

    def _advance(self) -> None:
        """Send whatever waits for nothing."""
        while self._held and not self._waiting:
            tag = self._held[0]
            pending = self._pending[tag]
            first = len(pending.pieces) == len(pending.command.pieces)
            piece = pending.pieces.popleft()
            self._outgoing += (tag.encode() + b" " if first else b"") + piece + b"\r\n"
            if pending.pieces:
                self._waiting = tag
            else:
                self._held.popleft()

    def _continue(self) -> None:
        pending = self._pending.get(self._waiting)
        if not pending:
            raise ProtocolError("The server waits for something nobody announced.")
        if pending.command.verb == "IDLE":
            self.idling = True
            return
        self._waiting, tag = "", self._waiting
        piece = pending.pieces.popleft()
        self._outgoing += piece + b"\r\n"
        if pending.pieces:
            self._waiting = tag
        else:
            self._held.popleft()
            self._advance()

    def _note(self, response: Response) -> None:
        if isinstance(response, Continuation):
            self._continue()
        elif isinstance(response, Capability):
            self.capabilities = response.words
        elif isinstance(response, Enabled):
            self.enabled |= response.words
        elif isinstance(response, Status):
            self._note_status(response)

    def _note_status(self, status: Status) -> None:
        if self.state is State.SILENT:
            self._greeted(status)
        elif status.kind == "BYE":
            self.state = State.OVER
        # Capabilities said before an answer to STARTTLS are forgotten in ``secured``.
        if status.kind in ("OK", "PREAUTH") and (words := code_capability(status.code)) is not None:
            self.capabilities = words
        if status.tag:
            self._answered(status)

    def _greeted(self, status: Status) -> None:
        greetings = {"OK": State.STRANGER, "PREAUTH": State.SIGNED_IN, "BYE": State.OVER}
        if status.tag or status.kind not in greetings:
            raise ProtocolError("What answered does not greet like an IMAP server.")
        self.state = greetings[status.kind]

    def _answered(self, status: Status) -> None:
        pending = self._pending.pop(status.tag, None)
        if pending is None:
            raise ProtocolError("The server answers a command that was not given.")
        if self._waiting == status.tag:
            # Refused before its last piece: nothing of it may follow (sync.md hazard 53).
            self._waiting = ""
            self.idling = False
        if self._held and self._held[0] == status.tag:
            self._held.popleft()
        elif status.tag in self._held:
            raise ProtocolError("The server answers a command that was not sent.")
        self._moved(pending.command.verb, status.kind == "OK")
        self._advance()

    def _moved(self, verb: str, good: bool) -> None:
        """What the answer to a command does to the state."""
        if verb in ("LOGIN", "AUTHENTICATE") and good and self.state is State.STRANGER:
            self.state = State.SIGNED_IN
        elif verb == "SELECT" and self.state in (State.SIGNED_IN, State.SELECTED):
            # A SELECT that fails leaves no folder selected (RFC 9051, 6.3.2).
            self.state = State.SELECTED if good else State.SIGNED_IN
        elif verb == "LOGOUT":
            self.state = State.OVER
