"""Net makes every outgoing connection whose target a person or a mail chose: resolve once, check, connect."""

from rapport.net.dial import MAIL_PORTS, Policy, again, connect, peer

__all__ = ["MAIL_PORTS", "Policy", "again", "connect", "peer"]
