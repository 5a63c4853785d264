"""How much of one message is read, whatever its sender wrote (R61); the raw bytes are kept whole elsewhere."""

MESSAGE = 50_000_000
"""Octets of a message that are looked at."""
HEADER = 64_000
"""Octets of one header field."""
HEADERS = 256_000
"""Octets of all header fields of one part."""
FIELDS = 1_000
"""Header fields of one part."""
PARTS = 1_000
DEPTH = 50
"""Multiparts within multiparts."""
RECIPIENTS = 10_000
"""Addresses of one message, all headers together."""
REFERENCES = 1_000
MESSAGE_ID = 998
"""Characters: a line of RFC 5322, 2.1.1."""
SUBJECT = 2_000
"""Characters of the subject; also of any other header that is kept as text."""
NAME = 300
"""Characters of a display name."""
ADDRESS = 320
"""Characters: 64 of local part, the sign, 255 of domain (RFC 5321, 4.5.3.1)."""
FILENAME = 200
"""Octets of an attachment's name in UTF-8 (R25)."""
BODY = 2_000_000
"""Characters of text, and of HTML."""
CALENDAR = 500_000
"""Octets of a calendar part that are looked at."""
PEOPLE_OF_A_REPORT = 100
"""Recipients of a delivery report, attendees of a calendar entry."""
UNPACKED = 500
"""Files packed within one part."""
SNIPPET = 200
"""Characters."""


class Notes:
    """What was cut from a message and why, each sentence once."""

    def __init__(self) -> None:
        self._sentences: dict[str, None] = {}

    def add(self, sentence: str) -> None:
        if len(self._sentences) < 20:
            self._sentences[sentence] = None

    def all(self) -> tuple[str, ...]:
        return tuple(self._sentences)
