"""Dial a host: resolve it once, refuse if any of its addresses is forbidden, connect to that very address.

A second lookup would let a name change its mind between check and connection (DNS rebinding).
"""

import queue
import socket
import threading
import time
from dataclasses import dataclass

from rapport.net import guard
from rapport.net.errors import Forbidden, Lost, NameNotFound, NetError, NoAnswer, PortClosed

MAIL_PORTS = frozenset({143, 993, 25, 465, 587})
CONNECT_SECONDS = 10.0


@dataclass(frozen=True)
class Policy:
    """Where this installation may connect: the public Internet on mail ports, and what an administrator allowed."""

    allowed: frozenset[tuple[str, int]] = frozenset()
    """Hosts and ports, as a person types them, that are connected to whatever their address is."""
    ports: frozenset[int] = MAIL_PORTS

    @classmethod
    def allowing(cls, *targets: tuple[str, int]) -> "Policy":
        """With these hosts and ports allowed besides."""
        return cls(allowed=frozenset((_plain(host), port) for host, port in targets))

    def trusts(self, host: str, port: int) -> bool:
        """Whether an administrator allowed exactly this host and port."""
        return (_plain(host), port) in self.allowed


def connect(host: str, port: int, *, policy: Policy, timeout: float = CONNECT_SECONDS) -> socket.socket:
    """A connected TCP socket whose every operation times out after ``timeout``. Raises NetError."""
    trusted = policy.trusts(host, port)
    if not trusted and port not in policy.ports:
        raise Forbidden(f"This installation does not connect to port {port}.")
    deadline = time.monotonic() + timeout
    addresses = _resolve(host, port, timeout)
    if not trusted and not all(guard.allowed(address) for address in addresses):
        raise Forbidden("This installation does not connect there.")
    return _first_open(addresses, port, deadline, timeout)


def peer(connected: socket.socket) -> tuple[str, int]:
    """The address and port at the other end. Raises Lost when there is none any more."""
    try:
        address, port = connected.getpeername()[:2]
    except OSError as error:
        raise Lost("The connection is gone.") from error
    return str(address), int(port)


def again(other: tuple[str, int], timeout: float = CONNECT_SECONDS) -> socket.socket:
    """A second connection to an address that was checked before, without asking for its name again."""
    return _open(*other, timeout, timeout)


def _plain(host: str) -> str:
    return host.strip().rstrip(".").lower()


def _resolve(host: str, port: int, timeout: float) -> list[str]:
    """The addresses of a name. In a thread of its own, because ``getaddrinfo`` knows no timeout."""
    answers: queue.SimpleQueue[list[str] | Exception] = queue.SimpleQueue()
    threading.Thread(target=_look_up, args=(host, port, answers), daemon=True).start()
    try:
        answer = answers.get(timeout=timeout)
    except queue.Empty:
        raise NameNotFound("No name server answered in time.") from None
    if isinstance(answer, Exception):
        raise NameNotFound("There is no such host.") from answer
    return answer


def _look_up(host: str, port: int, answers: "queue.SimpleQueue[list[str] | Exception]") -> None:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, ValueError) as error:
        answers.put(error)
    else:
        answers.put(list(dict.fromkeys(str(entry[4][0]) for entry in found)))


def _first_open(addresses: list[str], port: int, deadline: float, timeout: float) -> socket.socket:
    """The first that answers; each gets its share of the time that is left. The last failure speaks for all."""
    failure: NetError = NameNotFound("The name has no address.")
    for position, address in enumerate(addresses):
        share = (deadline - time.monotonic()) / (len(addresses) - position)
        if share <= 0:
            raise NoAnswer("No answer in time.")
        try:
            return _open(address, port, share, timeout)
        except NetError as error:
            failure = error
    raise failure


def _open(address: str, port: int, patience: float, timeout: float) -> socket.socket:
    try:
        connected = socket.create_connection((address, port), timeout=patience)
    except TimeoutError as error:
        raise NoAnswer("No answer in time.") from error
    except ConnectionRefusedError as error:
        raise PortClosed("Nothing listens on that port.") from error
    except OSError as error:
        # No route, network down, administratively filtered: for a person all of them are silence.
        raise NoAnswer(str(error.strerror or "No route.")) from error
    connected.settimeout(timeout)
    # Small commands go out at once, and a peer that vanished without a word is noticed (sync.md hazard 59).
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    return connected
