"""A scripted server: one loopback socket that says what a test wrote down, and remembers what it heard.

Also the certificates such servers show, made on the spot.
"""

import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def certificate(folder: Path, *names: str, days: int = 30, issuer: str = "") -> tuple[Path, Path]:
    """A new certificate and its key as files. Negative ``days``: expired. With ``issuer``: signed by nobody known."""
    key = ec.generate_private_key(ec.SECP256R1())
    signer = ec.generate_private_key(ec.SECP256R1()) if issuer else key
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]) if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=60))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([_alternative(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=not issuer, path_length=None), critical=True)
        .sign(signer, hashes.SHA256())
    )
    folder.mkdir(parents=True, exist_ok=True)
    shown, secret = folder / "cert.pem", folder / "key.pem"
    shown.write_bytes(built.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return shown, secret


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


@dataclass
class Peer:
    """The server's end of one connection."""

    socket: socket.socket
    heard: list[bytes]
    _rest: bytes = b""

    def say(self, text: bytes) -> None:
        self.socket.sendall(text)

    def line(self) -> bytes:
        """One line of the client, without its end; raises EOFError when it hangs up."""
        while b"\n" not in self._rest:
            data = self.socket.recv(65536)
            if not data:
                raise EOFError
            self._rest += data
        found, _, self._rest = self._rest.partition(b"\n")
        found = found.rstrip(b"\r")
        self.heard.append(found)
        return found

    def ask(self) -> tuple[bytes, bytes]:
        """A command: its tag, and the rest."""
        tag, _, rest = self.line().partition(b" ")
        return tag, rest

    def secure(self, files: tuple[Path, Path]) -> None:
        """TLS from here on. What came before it, in the same packet, is kept apart and lost."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*files)
        self.socket = context.wrap_socket(self.socket, server_side=True)


Script = Callable[[Peer], None]


def replies(greeting: bytes, *answers: tuple[bytes, bytes]) -> Script:
    """A script that greets, and answers each command that begins with a word by its text; ``TAG`` is replaced."""

    def play(peer: Peer) -> None:
        peer.say(greeting)
        left = list(answers)
        while True:
            tag, rest = peer.ask()
            found = next((pair for pair in left if rest.upper().startswith(pair[0].upper())), None)
            if found is None:
                peer.say(tag + b" BAD not in the script\r\n")
                continue
            peer.say(found[1].replace(b"TAG", tag))

    return play


@dataclass
class Scripted:
    """Listens on a free loopback port, and plays the script to everyone who connects."""

    script: Script
    files: tuple[Path, Path] | None = None
    """Certificate and key; with them TLS begins with the first byte."""
    heard: list[bytes] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    host: str = "127.0.0.1"

    def __enter__(self) -> Self:
        self._listener = socket.create_server((self.host, 0))
        self.port = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):
            # Wakes the thread in accept; closing alone does not.
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connected in self._open:
            with suppress(OSError):
                connected.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connected, _ = self._listener.accept()
                self.connections += 1
                self._open.append(connected)
                threading.Thread(target=self._play, args=(connected,), daemon=True).start()

    def _play(self, connected: socket.socket) -> None:
        peer = Peer(connected, self.heard)
        with suppress(OSError, EOFError):
            try:
                if self.files:
                    peer.secure(self.files)
                self.script(peer)
            finally:
                peer.socket.close()
