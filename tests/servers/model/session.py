"""One client's conversation: its state, what it was told already, and the commands that belong to no folder."""

import base64
import re
import select
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.servers.model.quirks import Quirk
from tests.servers.model.truth import Box, NoSuchFolder
from tests.servers.model.wire import Gibberish, Gone, Token, Wire, from_mutf7, quoted, to_mutf7, tokens

if TYPE_CHECKING:
    from tests.servers.model.server import Model

LONGEST_LINE = 10_239
"""Octets one large provider takes in a command line (hazard 32)."""
NO_EXPUNGE_AFTER = {"FETCH", "STORE", "SEARCH"}
"""Sequence numbers must not move in the answer to these (RFC 9051, 7.5.1); with UID before them they may."""


class No(Exception):
    """The answer is NO; the text may begin with a code."""


class Bad(Exception):
    """The answer is BAD."""


class Bye(Exception):
    """The server ends the connection, with this text."""


@dataclass
class Told:
    """What a client was told of the selected folder."""

    name: bytes
    box: Box
    uids: list[int]
    """By sequence number."""
    modseqs: dict[int, int]
    """By UID: the mod-sequence of the flags it knows."""
    read_only: bool


Command = Callable[["Session", list[Token]], str]
"""Does it, and gives the text of the OK."""


class Session:
    """One connection, from the greeting to the farewell."""

    def __init__(self, server: "Model", wire: Wire, number: int) -> None:
        self.server = server
        self.truth = server.truth
        self.wire = wire
        self.number = number
        self.signed_in = False
        self.introduced = False
        self.told: Told | None = None
        self.enabled: set[str] = set()
        self.expunge_now = True
        self._compress = False
        self._code = ""
        """What the next OK says besides: after expunges with QRESYNC, the mod-sequence (RFC 7162, 3.2.7)."""

    def has(self, quirk: Quirk) -> bool:
        """Whether the server has this habit now."""
        return quirk in self.server.quirks

    def say(self, line: bytes | str) -> None:
        """An untagged response."""
        text = line.encode("latin-1") if isinstance(line, str) else line
        self.wire.say(b"* " + text + b"\r\n")

    def box(self) -> Box:
        """The selected folder. One that is gone or rebuilt meanwhile ends the connection, as Dovecot does."""
        box = self._told().box
        if not any(box is other for other in self.truth.boxes.values()):
            raise Bye("The folder is gone.")
        return box

    def capabilities(self) -> set[str]:
        """What is advertised now."""
        words = set(self.server.capabilities)
        if self.has(Quirk.CAPABILITIES_SHRINK):
            words = {"IMAP4REV1"} if self.signed_in else words
        if self.has(Quirk.DELIMITER_NIL):
            words -= {"NAMESPACE"}
        return words - ({"AUTH=PLAIN"} if self.signed_in else set())

    def needs(self, capability: str) -> None:
        """What is not advertised does not work."""
        if capability not in self.capabilities():
            raise Bad(f"Unknown command: {capability} is not offered.")

    # The conversation.

    def run(self) -> None:
        """Greet, and answer until one side has enough."""
        try:
            self._greet()
            while self._turn():
                continue
        except Gone:
            pass
        except Bye as goodbye:
            self._goodbye(str(goodbye))
        finally:
            self.wire.close()

    def _greet(self) -> None:
        if self.has(Quirk.GREETING_BYE):
            raise Bye("Come back later.")
        self.signed_in = self.has(Quirk.GREETING_PREAUTH)
        kind = "PREAUTH" if self.signed_in else "OK"
        self.say(f"{kind} {self._capability_code()}Model ready.")
        self.wire.flush()

    def _capability_code(self) -> str:
        if self.has(Quirk.GREETING_TERSE):
            return ""
        return f"[CAPABILITY {' '.join(sorted(self.capabilities()))}] "

    def _goodbye(self, text: str) -> None:
        try:
            self.say(f"BYE {text}")
            self.wire.flush()
        except Gone:
            pass

    def _turn(self) -> bool:
        """One command and its answer; whether there may be more."""
        first = self.wire.line()
        if self.has(Quirk.LINES_SHORT) and len(first) > LONGEST_LINE:
            self.wire.say(first.partition(b" ")[0] + b" BAD Command line too long.\r\n")
            raise Bye("Too long.")
        tag, _, _ = first.partition(b" ")
        try:
            words = tokens(*self.wire.rest_of(first))
            verb, arguments = self._verb(words[1:])
        except (Gibberish, IndexError):
            self._answer(tag, "BAD Not a command.")
            return True
        self.server.note(self.number, verb, first)
        if verb == "LOGOUT":
            self.say("BYE Until next time.")
            self._answer(tag, "OK Done.")
            return False
        self._answer(tag, self._done(verb, arguments))
        if self._compress:
            self._compress = False
            self.wire.compress()
        return True

    def _verb(self, words: list[Token]) -> tuple[str, list[Token]]:
        verb = atom(words[0]).upper()
        if verb == "UID":
            return f"UID {atom(words[1]).upper()}", words[2:]
        return verb, words[1:]

    def _done(self, verb: str, arguments: list[Token]) -> str:
        """Do it, with the whole server standing still; the tagged answer."""
        self.expunge_now, self._code = verb not in NO_EXPUNGE_AFTER, ""
        try:
            said = self._do(verb, arguments)
            return f"OK {'' if said.startswith('[') else self._code}{said}"
        except No as refusal:
            return f"NO {refusal}"
        except Bad as refusal:
            return f"BAD {refusal}"
        except NoSuchFolder:
            return "NO [NONEXISTENT] There is no such folder."
        except (IndexError, ValueError):
            return "BAD That makes no sense."

    def _do(self, verb: str, arguments: list[Token]) -> str:
        command = self.server.commands.get(verb)
        if command is None:
            raise Bad("Unknown command.")
        self._may(verb)
        if verb == "IDLE":
            return command(self, arguments)
        self.server.happen("before", verb)
        with self.truth.changing():
            said = command(self, arguments)
            self.tell()
        self.server.happen("after", verb)
        return said

    def _may(self, verb: str) -> None:
        """Whether this belongs here (RFC 9051 section 6)."""
        if verb in ("CAPABILITY", "NOOP", "ID"):
            return
        if verb in ("LOGIN", "AUTHENTICATE"):
            if self.signed_in:
                raise Bad("You are signed in.")
            return
        if not self.signed_in:
            raise Bad("Sign in first.")
        if self.has(Quirk.NOT_CONNECTED):
            raise No("User is authenticated but not connected.")
        if self.has(Quirk.NEEDS_ID) and not self.introduced:
            raise No(f"{verb} Unsafe Login.")
        if verb.removeprefix("UID ") in self.server.selected_only and self.told is None:
            raise Bad("Select a folder first.")

    def _answer(self, tag: bytes, text: str) -> None:
        self.wire.say(tag + b" " + text.encode("latin-1") + b"\r\n")
        self.wire.flush()

    # Telling what changed.

    def tell(self, *, flags: bool = True) -> bool:
        """Untagged news of the selected folder; whether there was any."""
        if self.told is None:
            return False
        before = self.wire.queued()
        if self.expunge_now:
            self._tell_gone()
        before_new = len(self._told().uids)
        self._tell_new()
        if flags:
            self._tell_flags(before_new)
        return self.wire.queued() > before

    def _tell_gone(self) -> None:
        told, here = self._told(), self.box().letters
        gone = [uid for uid in told.uids if uid not in here]
        if not gone:
            return
        if "QRESYNC" in self.enabled:
            self.say(f"VANISHED {as_set(gone)}")
            self._code = f"[HIGHESTMODSEQ {self.box().modseq}] "
        else:
            order = reversed(gone) if self.has(Quirk.EXPUNGE_DOWNWARDS) else gone
            left = list(told.uids)
            for uid in order:
                self.say(f"{left.index(uid) + 1} EXPUNGE")
                left.remove(uid)
        told.uids = [uid for uid in told.uids if uid in here]

    def _tell_new(self) -> None:
        told, here = self._told(), self.box().letters
        known = set(told.uids)
        new = sorted(uid for uid in here if uid not in known)
        if new:
            told.uids += new
            told.modseqs |= {uid: here[uid].modseq for uid in new}
            self.say(f"{len(told.uids)} EXISTS")

    def _tell_flags(self, count: int) -> None:
        """Changes of the first ``count`` messages; of the new ones behind them everything is news anyway."""
        told, here = self._told(), self.box().letters
        for sequence, uid in enumerate(told.uids[:count], 1):
            if uid in here and here[uid].modseq > told.modseqs[uid]:
                items = [f"UID {uid}"] if "QRESYNC" in self.enabled else []
                items += [f"MODSEQ ({here[uid].modseq})"] if "CONDSTORE" in self.enabled else []
                items += [f"FLAGS ({' '.join(sorted(here[uid].flags))})"]
                self.say(f"{sequence} FETCH ({' '.join(items)})")
                told.modseqs[uid] = here[uid].modseq

    def _told(self) -> Told:
        assert self.told is not None
        return self.told

    def compress_after_this(self) -> None:
        """From the next command on."""
        self._compress = True


# Commands of no folder.


def capability(session: Session, arguments: list[Token]) -> str:
    session.say("CAPABILITY " + " ".join(sorted(session.capabilities())))
    return "That is all."


def noop(session: Session, arguments: list[Token]) -> str:
    return "Nothing done."


def identify(session: Session, arguments: list[Token]) -> str:
    session.needs("ID")
    session.introduced = True
    session.say('ID ("name" "Model")')
    return "Pleased to meet you."


def login(session: Session, arguments: list[Token]) -> str:
    if len(arguments) != 2:
        raise Bad("LOGIN wants two words.")
    return _sign_in(session, raw(arguments[0]), raw(arguments[1]))


def authenticate(session: Session, arguments: list[Token]) -> str:
    session.needs("AUTH=PLAIN")
    if atom(arguments[0]).upper() != "PLAIN":
        raise No("Only PLAIN.")
    answer = raw(arguments[1]) if len(arguments) > 1 else _asked(session)
    try:
        _, name, password = base64.b64decode(answer).split(b"\0")
    except ValueError as error:
        raise Bad("Not what PLAIN wants.") from error
    return _sign_in(session, name, password)


def _asked(session: Session) -> bytes:
    session.wire.say(b"+ \r\n")
    session.wire.flush()
    return session.wire.line()


def _sign_in(session: Session, name: bytes, password: bytes) -> str:
    if session.has(Quirk.TOO_MANY):
        raise No("[AUTHENTICATIONFAILED] Too many simultaneous connections. (Failure)")
    if session.has(Quirk.AUTH_UNAVAILABLE):
        raise No("[UNAVAILABLE] Temporary authentication failure.")
    if (name, password) != (session.server.user.encode(), session.server.password.encode()):
        raise No("[AUTHENTICATIONFAILED] Authentication failed.")
    session.signed_in = True
    return f"{session._capability_code()}Signed in."


def enable(session: Session, arguments: list[Token]) -> str:
    session.needs("ENABLE")
    wanted = {atom(word).upper() for word in arguments}
    granted = wanted & session.capabilities() & {"CONDSTORE", "QRESYNC", "UTF8=ACCEPT"}
    if session.has(Quirk.ENABLED_SILENT):
        return "Enabled nothing."
    session.enabled |= granted | ({"CONDSTORE"} if "QRESYNC" in granted else set())
    session.say(f"ENABLED {' '.join(sorted(granted))}".rstrip())
    return "Enabled."


def compress(session: Session, arguments: list[Token]) -> str:
    session.needs("COMPRESS=DEFLATE")
    session.compress_after_this()
    return "Squeezed from here on."


def idle(session: Session, arguments: list[Token]) -> str:
    """IDLE (RFC 2177): news as it comes, until DONE."""
    session.needs("IDLE")
    wire, quirks = session.wire, session.server.quirks
    if Quirk.IDLE_EARLY in quirks:
        session.say(f"{len(session.told.uids) if session.told else 0} EXISTS")
    wire.say(b"+ idling\r\n")
    wire.flush()
    with session.truth.listening() as news:
        while not wire.pending():
            if Quirk.IDLE_SILENT not in quirks:
                with session.truth.lock:
                    session.tell(flags=Quirk.IDLE_EXISTS_ONLY not in quirks)
                wire.flush()
            if Quirk.IDLE_DROPS in quirks:
                raise Gone
            ready, _, _ = select.select([wire.socket, news], [], [])
            if news in ready:
                news.recv(4096)
            if wire.socket in ready:
                break
    if wire.line().upper() != b"DONE":
        raise Bad("Expected DONE.")
    return "Awake."


def folder_name(session: Session, token: Token) -> bytes:
    """A folder as the truth spells it; a client that accepts UTF-8 says UTF-8 (RFC 6855)."""
    name = raw(token)
    return to_mutf7(name.decode(errors="surrogateescape")) if "UTF8=ACCEPT" in session.enabled else name


def spelled(session: Session, name: bytes) -> bytes:
    """A folder's name as this client wants it."""
    if "UTF8=ACCEPT" not in session.enabled:
        return quoted(name)
    return b'"' + from_mutf7(name).encode(errors="surrogateescape").replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


def atom(token: Token) -> str:
    """A word of the protocol."""
    return raw(token).decode("latin-1")


def raw(token: Token) -> bytes:
    """A word or string. Raises Bad for a list."""
    if isinstance(token, list):
        raise Bad("A list where a word belongs.")
    return token


class Numbers:
    """A sequence-set: its spans, never spelled out. ``star`` is what ``*`` stands for. Raises Bad."""

    def __init__(self, text: str, star: int) -> None:
        self.spans: list[tuple[int, int]] = []
        for piece in text.split(","):
            if not re.fullmatch(r"(\d+|\*)(:(\d+|\*))?", piece):
                raise Bad("Not a sequence-set.")
            low, high = sorted(star if end == "*" else int(end) for end in (piece.split(":") * 2)[:2])
            if low < 1 and "*" not in piece:
                raise Bad("Numbers begin at 1.")
            self.spans.append((low, high))

    def __contains__(self, number: int) -> bool:
        return any(low <= number <= high for low, high in self.spans)

    def of(self, numbers: Iterable[int]) -> list[int]:
        """Those of these numbers, which are sorted, that it names."""
        known = list(numbers)
        found = set[int]()
        for low, high in self.spans:
            found.update(known[bisect_left(known, low) : bisect_right(known, high)])
        return sorted(found)


def as_set(uids: list[int]) -> str:
    """IMAP's notation, with ranges."""
    spans: list[list[int]] = []
    for uid in sorted(uids):
        if spans and spans[-1][1] == uid - 1:
            spans[-1][1] = uid
        else:
            spans.append([uid, uid])
    return ",".join(f"{low}:{high}" if high > low else f"{low}" for low, high in spans)


COMMANDS: dict[str, Command] = {
    "CAPABILITY": capability,
    "NOOP": noop,
    "CHECK": noop,
    "ID": identify,
    "LOGIN": login,
    "AUTHENTICATE": authenticate,
    "ENABLE": enable,
    "COMPRESS": compress,
    "IDLE": idle,
}
