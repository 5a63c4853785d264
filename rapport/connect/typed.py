"""Settings as a person typed them, on their way to the test and back into the form."""

from dataclasses import dataclass
from uuid import UUID

from rapport.connect.models import Tested
from rapport.connect.test import Settings, settings_of
from rapport.people.models import User
from rapport.providers.contract import Endpoint, Security


@dataclass(frozen=True)
class Server:
    """One server as it stands in the form."""

    host: str
    port: int
    security: str
    """``ssl``, ``starttls`` or ``none``."""
    pinned: str = ""
    """SHA-256 of the one untrusted certificate that was allowed (D8)."""


def settings(*, address: str, kind: str, username: str, incoming: Server, outgoing: Server) -> Settings:
    """The same, as the test takes it."""
    return Settings(address.strip().lower(), kind, username.strip(), _endpoint(incoming), _endpoint(outgoing))


def again(user: User, uuid: UUID) -> Settings | None:
    """What this person had typed when the test waited too long: everything but the password."""
    tested = Tested.objects.filter(user=user, uuid=uuid).first()
    return settings_of(tested) if tested else None


def _endpoint(server: Server) -> Endpoint:
    return Endpoint(server.host.strip().lower(), server.port, Security(server.security), server.pinned.lower())
