"""The wire is the socket under a conversation: it sends, it reads, and it names what goes wrong."""

import contextlib
import socket
import ssl
import time

from rapport.providers.contract import Pace
from rapport.providers.errors import TryLater, Unreachable
from rapport.providers.imap.deflate import Corrupt, Packed

READ_SIZE = 262_144
PATIENCE = 10
"""How many timeouts an answer may take in all, however often a little of it comes ..."""
SLOWEST = 1_000
"""... and how many octets of it earn another second."""


class Wire:
    """A connected socket, with or without TLS, with or without packing."""

    def __init__(self, connected: socket.socket) -> None:
        self.socket = connected
        self.waits = 0
        """How often we sent something and then had to wait for the answer: the round trips."""
        self.received = 0
        """Octets, as they came."""
        self.pace = Pace()
        self._packed: Packed | None = None
        self._sent = False
        self._waited = 0.0
        self._heard = 0

    def pack(self, already: bytes) -> None:
        """Everything is packed from here on, both ways; ``already`` was read and not yet understood."""
        self._packed = Packed(READ_SIZE)
        self._packed.feed(already)

    @property
    def packed(self) -> bool:
        """Whether both sides agreed to pack."""
        return self._packed is not None

    def send(self, data: bytes) -> None:
        """All of it."""
        try:
            self.socket.sendall(self._packed.pack(data) if self._packed else data)
        except (OSError, ValueError) as error:
            raise _named(error) from error
        self._sent = True
        self._waited, self._heard = 0.0, 0

    def read(self) -> bytes:
        """Some bytes, at least one. Blocks until the socket's timeout, or until all of it took too long."""
        if self._packed is None:
            return self._receive()
        while not (data := self._unpacked()):
            self._packed.feed(self._receive())
        return data

    def read_ready(self) -> bytes:
        """What is there without waiting, also inside TLS; empty when nothing is."""
        if self._packed is None:
            return self._receive_ready()
        while not (data := self._unpacked()) and (more := self._receive_ready()):
            self._packed.feed(more)
        return data

    def close(self) -> None:
        """Never raises."""
        # Closed already, or broken: either way it is gone.
        with contextlib.suppress(OSError):
            self.socket.close()

    def _unpacked(self) -> bytes:
        try:
            return self._packed.take() if self._packed else b""
        except Corrupt as error:
            raise Unreachable("protocol", str(error)) from error

    def _receive(self) -> bytes:
        began = time.monotonic()
        try:
            data = self.socket.recv(READ_SIZE)
        except (OSError, ValueError) as error:
            raise _named(error) from error
        if not data:
            raise Unreachable("lost", "The server ended the connection.")
        self._account(len(data), time.monotonic() - began)
        return data

    def _receive_ready(self) -> bytes:
        before = self.socket.gettimeout()
        try:
            self.socket.settimeout(0)
            data = self.socket.recv(READ_SIZE)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return b""
        except (OSError, ValueError) as error:
            raise _named(error) from error
        finally:
            if self.socket.fileno() >= 0:
                self.socket.settimeout(before)
        if not data:
            raise Unreachable("lost", "The server ended the connection.")
        self.received += len(data)
        return data

    def _account(self, octets: int, seconds: float) -> None:
        """Count, and give up a server that sends so little at a time that it would never time out."""
        if self._sent:
            self.waits += 1
            self._sent = False
        else:
            # What comes right after a question measures the distance, not the pace.
            self.pace = Pace(self.pace.octets + octets, self.pace.seconds + seconds)
        self.received += octets
        self._heard += octets
        self._waited += seconds
        if overdue(self._waited, self._heard, self.socket.gettimeout()):
            raise Unreachable("timeout", "The server is too slow to be waited for.")


def overdue(waited: float, heard: int, timeout: float | None) -> bool:
    """Whether an answer took too long in all: seconds waited since the last question, octets heard meanwhile."""
    return timeout is not None and waited > PATIENCE * timeout + heard / SLOWEST


def _named(error: OSError | ValueError) -> TryLater:
    if isinstance(error, TimeoutError):
        return Unreachable("timeout", "The server did not answer in time.")
    return Unreachable("lost", "The connection to the server was lost.")
