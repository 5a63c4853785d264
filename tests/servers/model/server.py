"""The model server: it listens on loopback, speaks to any number of clients, and counts what they ask."""

import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from types import TracebackType
from typing import Self

from tests.servers.model import folders, reading, session, writing
from tests.servers.model.quirks import Quirk
from tests.servers.model.session import Session
from tests.servers.model.truth import Truth
from tests.servers.model.wire import Wire

FULL = (
    "IMAP4rev1 AUTH=PLAIN SASL-IR LITERAL+ ID ENABLE NAMESPACE IDLE UNSELECT CHILDREN UIDPLUS MOVE MULTIAPPEND CONDSTORE"
    " QRESYNC ESEARCH LIST-EXTENDED LIST-STATUS SPECIAL-USE UTF8=ACCEPT COMPRESS=DEFLATE"
)
PROFILES = {
    "full": FULL,
    "exchange": "IMAP4 IMAP4rev1 AUTH=PLAIN SASL-IR UIDPLUS MOVE ID UNSELECT CHILDREN IDLE NAMESPACE LITERAL+",
    "bare": "IMAP4rev1",
    "gmailish": "IMAP4rev1 AUTH=PLAIN UNSELECT IDLE NAMESPACE ID CHILDREN UIDPLUS ENABLE MOVE CONDSTORE ESEARCH"
    " LIST-EXTENDED LIST-STATUS LITERAL- SPECIAL-USE",
}
"""What is advertised, as in ``tests.servers.dovecot``. What is not advertised does not work."""


class Model:
    """One person's mailbox on a server whose every capability and every bad habit is a switch."""

    commands = session.COMMANDS | folders.COMMANDS | reading.COMMANDS | writing.COMMANDS
    selected_only = frozenset("FETCH STORE SEARCH COPY MOVE EXPUNGE CLOSE UNSELECT CHECK".split())
    host = "127.0.0.1"
    user = "ana"

    def __init__(self, profile: str = "full", *quirks: Quirk) -> None:
        self.truth = Truth()
        self.capabilities = set(PROFILES[profile].upper().split())
        self.quirks = set(quirks)
        self.password = "secret"
        self.port = 0
        self.heard: list[tuple[int, str]] = []
        """Every command so far: the connection's number and the verb."""
        self.connections = 0
        self.bodies = 0
        """Whole messages given so far."""
        self._tags: dict[int, str] = {}
        self._frozen: dict[bytes, dict[str, int]] = {}
        self._firsts: set[tuple[str, int]] = set()
        self._plans: dict[tuple[str, str], list[Callable[[], object]]] = {}
        self._open: list[socket.socket] = []

    def __enter__(self) -> Self:
        self._listener = socket.create_server((self.host, 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, name="model", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.drop()
        with suppress(OSError):
            # Wakes the thread in accept; closing alone does not.
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def drop(self) -> None:
        """End every connection, without a word."""
        for connected in self._open:
            with suppress(OSError):
                connected.shutdown(socket.SHUT_RDWR)
        self._open.clear()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connected, _ = self._listener.accept()
                connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.connections += 1
                self._open.append(connected)
                talk = Session(self, Wire(connected, lambda: Quirk.DRIP in self.quirks), self.connections)
                threading.Thread(target=talk.run, name=f"model {self.connections}", daemon=True).start()

    # What tests ask and arrange.

    def count(self, verb: str, connection: int = 0) -> int:
        """How often a command was given: at all, or on one connection."""
        return sum(said == verb and connection in (0, number) for number, said in self.heard)

    def verbs(self) -> Counter[str]:
        """How often each command was given."""
        return Counter(verb for _, verb in self.heard)

    def plan(self, moment: str, verb: str, act: Callable[[], object]) -> None:
        """Do this once, ``before`` or ``after`` the next command of this kind."""
        self._plans.setdefault((moment, verb), []).append(act)

    def planned(self) -> int:
        """How many plans still wait."""
        return sum(map(len, self._plans.values()))

    def forget_plans(self) -> None:
        """What has not happened yet does not happen any more."""
        self._plans.clear()

    # What sessions ask.

    def happen(self, moment: str, verb: str) -> None:
        """Carry out what was planned for this moment."""
        for act in self._plans.pop((moment, verb), []):
            act()

    def note(self, connection: int, verb: str, line: bytes) -> None:
        """A command was given."""
        self.heard.append((connection, verb))
        self._tags[connection] = line.partition(b" ")[0].decode("latin-1")

    def tag_of(self, connection: int) -> str:
        """The tag of the command being answered."""
        return self._tags[connection]

    def first(self, what: str, connection: int) -> bool:
        """Whether this is the first time on this connection."""
        fresh = (what, connection) not in self._firsts
        self._firsts.add((what, connection))
        return fresh

    def ghost(self, session: Session) -> int:
        """The UID that bad habits are tried on: the newest message of the inbox; 0 in other folders."""
        if not session.told or session.told.name != b"INBOX":
            return 0
        return max(session.truth.boxes[b"INBOX"].letters, default=0)

    def stale(self, session: Session, name: bytes, numbers: dict[str, int]) -> dict[str, int]:
        """The numbers that STATUS tells: perhaps older ones."""
        selected = session.told is not None and session.told.name == name
        frozen = self._frozen.setdefault(name, numbers)
        if Quirk.STATUS_STALE in self.quirks or (Quirk.STATUS_SELECTED_STALE in self.quirks and selected):
            return frozen
        self._frozen[name] = numbers
        return numbers

    def all_of(self, names: Iterable[bytes]) -> dict[bytes, dict[int, tuple[bytes, frozenset[str]]]]:
        """What lies in these folders: UID to raw bytes and flags."""
        with self.truth.lock:
            return {
                name: {uid: (letter.raw, letter.flags) for uid, letter in self.truth.box(name).letters.items()}
                for name in names
            }
