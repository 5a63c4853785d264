"""A proxy that breaks: it stands before a mail server and cuts, stalls, loses, doubles and rewrites what is said.

    with Proxy(server.host, server.port, Cut(at=1000)) as proxy:
        ...connect to proxy.port...
    assert proxy.faults[0].fired

It knows where a response ends, literals included, and which command a tagged answer belongs to. Every fault counts how
often it really happened: a test that did not hit anything has proven nothing.
"""

import re
import select
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from types import TracebackType
from typing import Self


class Side(Enum):
    """Who speaks."""

    CLIENT = "client"
    SERVER = "server"


class How(Enum):
    """How a connection ends."""

    CLOSE = "closed on both sides"
    RESET = "reset: nothing sent before is promised to arrive"
    HALF = "the server's side is closed, the client may go on talking"
    STALL = "nothing comes and nothing goes, and nobody says so"


class Ended(Exception):
    """The connection ends here."""

    def __init__(self, how: How) -> None:
        super().__init__(how.value)
        self.how = how


@dataclass(frozen=True)
class Unit:
    """One command of the client or one response of the server, with its literals and its line end."""

    side: Side
    octets: bytes
    verb: str
    """The command, or the command that a tagged answer belongs to; empty for untagged responses."""


@dataclass
class Fault:
    """Something that goes wrong. A fault of its own kind overrides ``units`` or ``octets``."""

    fired: int = field(default=0, init=False)

    def units(self, unit: Unit) -> Iterable[bytes]:
        """What is passed on of a unit. May raise Ended."""
        return [unit.octets]

    def octets(self, side: Side, before: int, data: bytes) -> tuple[bytes, How | None]:
        """What is passed on of some octets, of which ``before`` came earlier, and how the connection ends then."""
        return data, None


@dataclass
class Cut(Fault):
    """After so many octets of one side the connection ends; once."""

    at: int
    by: Side = Side.SERVER
    how: How = How.CLOSE

    def octets(self, side: Side, before: int, data: bytes) -> tuple[bytes, How | None]:
        if side is not self.by or self.fired or before + len(data) <= self.at:
            return data, None
        self.fired += 1
        return data[: self.at - before], self.how


@dataclass
class _OfUnits(Fault):
    """Happens to units that match, ``times`` times; ``skip`` of them are let through first."""

    pattern: bytes
    by: Side = Side.SERVER
    times: int = 1
    skip: int = 0

    def hits(self, unit: Unit) -> bool:
        """Whether it happens to this one."""
        if (
            unit.side is not self.by
            or not re.search(self.pattern, unit.octets, re.IGNORECASE)
            or self.fired >= self.times
        ):
            return False
        self.skip -= 1
        self.fired += self.skip < 0
        return self.skip < 0


@dataclass
class Lose(_OfUnits):
    """A unit never arrives."""

    def units(self, unit: Unit) -> Iterable[bytes]:
        return [] if self.hits(unit) else [unit.octets]


@dataclass
class Double(_OfUnits):
    """A unit arrives twice."""

    def units(self, unit: Unit) -> Iterable[bytes]:
        return [unit.octets] * (2 if self.hits(unit) else 1)


@dataclass
class Rewrite(_OfUnits):
    """What matches in a unit arrives as something else."""

    to: bytes = b""

    def units(self, unit: Unit) -> Iterable[bytes]:
        return [re.sub(self.pattern, self.to, unit.octets, flags=re.IGNORECASE) if self.hits(unit) else unit.octets]


@dataclass
class Inject(_OfUnits):
    """Something nobody said arrives before a unit; with ``then`` the connection ends after it."""

    text: bytes = b""
    then: How | None = None

    def units(self, unit: Unit) -> Iterable[bytes]:
        if not self.hits(unit):
            yield unit.octets
            return
        yield self.text
        if self.then:
            raise Ended(self.then)
        yield unit.octets


@dataclass
class Swallow(Fault):
    """A command is carried out, and its tagged answer never arrives."""

    verb: str
    how: How = How.CLOSE

    def units(self, unit: Unit) -> Iterable[bytes]:
        if unit.side is Side.CLIENT or unit.verb != self.verb or self.fired:
            return [unit.octets]
        self.fired += 1
        raise Ended(self.how)


@dataclass
class Dribble(Fault):
    """Everything one side says arrives in small pieces, with a pause (in seconds) after each."""

    octets_a_piece: int = 1
    seconds: float = 0.0
    by: Side = Side.SERVER


class Proxy:
    """Listens on loopback and speaks to the server behind it. ``rtt`` is a distance in seconds, there and back."""

    host = "127.0.0.1"

    def __init__(self, host: str, port: int, *faults: Fault, rtt: float = 0.0) -> None:
        self._target = (host, port)
        self.faults = list(faults)
        self.rtt = rtt
        self.port = 0
        self.passed: list[dict[Side, int]] = []
        """For each connection, how many octets of each side were passed on."""
        self._open: list[socket.socket] = []

    def __enter__(self) -> Self:
        self._listener = socket.create_server((self.host, 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, name="proxy", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connected in self._open:
            with suppress(OSError):
                connected.shutdown(socket.SHUT_RDWR)
            connected.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._target)
                for end in (client, server):
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._open += [client, server]
                self.passed.append(dict.fromkeys(Side, 0))
                line = _Line(self, {Side.CLIENT: client, Side.SERVER: server}, self.passed[-1])
                threading.Thread(target=line.run, name="proxied", daemon=True).start()


class _Line:
    """One connection through the proxy."""

    def __init__(self, proxy: Proxy, ends: dict[Side, socket.socket], passed: dict[Side, int]) -> None:
        self._proxy = proxy
        self._ends = ends
        self._passed = passed
        self._waiting: dict[Side, deque[tuple[float, bytes]]] = {side: deque() for side in Side}
        """What each side said and when the other may have it."""
        self._rest = dict.fromkeys(Side, b"")
        self._verbs: dict[bytes, str] = {}
        self._speaking = set(Side)

    def run(self) -> None:
        """Until it ends, one way or another."""
        try:
            while self._speaking or any(self._waiting.values()):
                self._turn()
        except Ended as end:
            self._end(end.how)
        except (OSError, ValueError):
            # One side went away, or the proxy itself did, which closes what is waited for here.
            self._end(How.CLOSE)
        else:
            self._end(How.CLOSE)

    def _turn(self) -> None:
        """Hear what there is, pass on what is due."""
        due = [queue[0][0] for queue in self._waiting.values() if queue]
        patience = max(0.0, min(due) - time.monotonic()) if due else None
        ready, _, _ = select.select([self._ends[side] for side in self._speaking], [], [], patience)
        for side in [side for side in self._speaking if self._ends[side] in ready]:
            data = self._ends[side].recv(65536)
            if data:
                self._hear(side, data)
            else:
                self._speaking.discard(side)
        for side in Side:
            self._deliver(side)
        if len(self._speaking) < len(Side) and not any(self._waiting.values()):
            raise Ended(How.CLOSE)

    def _hear(self, side: Side, data: bytes) -> None:
        try:
            for octets in self._units(side, data):
                self._pass(side, octets)
        except Ended:
            # What came before the end still arrives.
            self._deliver(side, everything=True)
            raise

    def _units(self, side: Side, data: bytes) -> Iterable[bytes]:
        """What the faults make of the units that are complete now."""
        self._rest[side] += data
        while size := _size(self._rest[side]):
            octets, self._rest[side] = self._rest[side][:size], self._rest[side][size:]
            yield from self._broken(Unit(side, octets, self._verb(side, octets)), self._proxy.faults)

    def _broken(self, unit: Unit, faults: Sequence[Fault]) -> Iterable[bytes]:
        if not faults:
            yield unit.octets
            return
        for octets in faults[0].units(unit):
            yield from self._broken(Unit(unit.side, octets, unit.verb), faults[1:])

    def _verb(self, side: Side, octets: bytes) -> str:
        tag, _, rest = octets.partition(b" ")
        if side is Side.SERVER:
            return self._verbs.get(tag, "")
        words = rest.upper().split(maxsplit=2)
        verb = b" ".join(words[: 2 if words[:1] == [b"UID"] else 1]).decode("latin-1")
        self._verbs[tag] = verb
        return verb

    def _pass(self, side: Side, octets: bytes) -> None:
        """Queue for the other side, as far as the faults let it."""
        for fault in self._proxy.faults:
            octets, how = fault.octets(side, self._passed[side], octets)
            if how:
                self._queue(side, octets)
                raise Ended(how)
        self._queue(side, octets)

    def _queue(self, side: Side, octets: bytes) -> None:
        self._passed[side] += len(octets)
        at = time.monotonic() + self._proxy.rtt / 2
        slow = next((one for one in self._proxy.faults if isinstance(one, Dribble) and one.by is side), None)
        if slow is None:
            self._waiting[side].append((at, octets))
            return
        slow.fired += 1
        last = self._waiting[side][-1][0] if self._waiting[side] else at
        for start in range(0, len(octets), slow.octets_a_piece):
            last = max(last, at) + slow.seconds
            self._waiting[side].append((last, octets[start : start + slow.octets_a_piece]))

    def _deliver(self, side: Side, *, everything: bool = False) -> None:
        other = self._ends[Side.SERVER if side is Side.CLIENT else Side.CLIENT]
        queue = self._waiting[side]
        while queue and (everything or queue[0][0] <= time.monotonic()):
            other.sendall(queue.popleft()[1])

    def _end(self, how: How) -> None:
        client, server = self._ends[Side.CLIENT], self._ends[Side.SERVER]
        if how is How.STALL:
            return  # Both stay open, and nobody listens; the proxy closes them at its end.
        if how is How.HALF:
            with suppress(OSError):
                client.shutdown(socket.SHUT_WR)
            server.close()
            return
        if how is How.RESET:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
        server.close()


_LITERAL = re.compile(rb"\{(\d+)\+?\}\r?\n\Z")


def _size(data: bytes) -> int:
    """How long the first whole unit is; 0 while it is not whole."""
    at = 0
    while (end := data.find(b"\n", at) + 1) > 0:
        literal = _LITERAL.search(data, max(at, end - 30), end)
        if not literal:
            return end
        at = end + int(literal[1])
        if at > len(data):
            return 0
    return 0
