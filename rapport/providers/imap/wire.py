"""The wire is the socket under a conversation: it sends, it reads, and it names what goes wrong."""

import contextlib
import socket
import ssl

from rapport.providers.errors import TryLater, Unreachable

READ_SIZE = 262_144


class Wire:
    """A connected socket, with or without TLS."""

    def __init__(self, connected: socket.socket) -> None:
        self.socket = connected
        self.waits = 0
        """How often we sent something and then had to wait for the answer: the round trips."""
        self._sent = False

    def send(self, data: bytes) -> None:
        """All of it."""
        try:
            self.socket.sendall(data)
        except (OSError, ValueError) as error:
            raise _named(error) from error
        self._sent = True

    def read(self) -> bytes:
        """Some bytes, at least one; blocks until the socket's timeout."""
        if self._sent:
            self.waits += 1
            self._sent = False
        try:
            data = self.socket.recv(READ_SIZE)
        except (OSError, ValueError) as error:
            raise _named(error) from error
        if not data:
            raise Unreachable("lost", "The server ended the connection.")
        return data

    def read_ready(self) -> bytes:
        """What is there without waiting, also inside TLS; empty when nothing is."""
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
        return data

    def close(self) -> None:
        """Never raises."""
        # Closed already, or broken: either way it is gone.
        with contextlib.suppress(OSError):
            self.socket.close()


def _named(error: OSError | ValueError) -> TryLater:
    if isinstance(error, TimeoutError):
        return Unreachable("timeout", "The server did not answer in time.")
    return Unreachable("lost", "The connection to the server was lost.")
