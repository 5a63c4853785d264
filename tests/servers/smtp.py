"""A real SMTP server in this process: takes a sign-in, keeps what it is sent."""

import socket
from types import TracebackType
from typing import Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


class Sink:
    """Listens on a free loopback port; ``secret`` is everybody's password."""

    def __init__(self, password: str = "secret") -> None:  # a test's
        self._password = password.encode()
        self.received: list[Envelope] = []
        # Port 0 would leave the controller's own readiness check without a port to ask.
        self._controller = Controller(
            self, hostname="127.0.0.1", port=_free_port(), authenticator=self._sign_in, auth_require_tls=False
        )

    @property
    def port(self) -> int:
        return int(self._controller.port)

    def accept(self, password: str) -> None:
        """From now on this is everybody's password."""
        self._password = password.encode()

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._controller.stop()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802  # its name
        self.received.append(envelope)
        return "250 2.0.0 kept"

    def _sign_in(self, server: SMTP, session: Session, envelope: Envelope, how: str, told: object) -> AuthResult:
        good = isinstance(told, LoginPassword) and told.password == self._password
        return AuthResult(success=good, handled=good, message=None if good else "535 5.7.8 Bad credentials")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
