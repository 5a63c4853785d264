"""A mail server of our own making: small, faithful, checked against a real Dovecot, and badly behaved on demand.

with Model() as server:
server.truth.append(raw, b"INBOX")
server.quirks.add(Quirk.FETCH_SHUFFLED)
...server.port; the user is "ana", the password "secret"
"""

from tests.servers.model.quirks import Quirk
from tests.servers.model.server import PROFILES, Model
from tests.servers.model.truth import Box, Letter, Truth

__all__ = ["PROFILES", "Box", "Letter", "Model", "Quirk", "Truth"]
