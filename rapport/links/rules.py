"""Which records an email is about: the rules, in order, each with its reason. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

ORDER = ("from", "reply-to", "to", "cc", "bcc")
"""The headers that associate (D3), the telling ones first: the first match gives the reason."""
MACHINES = (
    "no-reply",
    "noreply",
    "no_reply",
    "donotreply",
    "do-not-reply",
    "do_not_reply",
    "mailer-daemon",
    "mailerdaemon",
    "postmaster",
    "bounce",
    "bounces",
    "notification",
    "notifications",
    "automailer",
    "daemon",
)
"""Local parts no person answers from. Never info@, sales@, office@: people to sell to (D5)."""


@dataclass(frozen=True)
class Named:
    """Somebody in a header of an email."""

    role: str
    address: str
    """Lower case."""
    name: str = ""

    @property
    def domain(self) -> str:
        """What stands after the @."""
        return self.address.rpartition("@")[2]


@dataclass(frozen=True)
class Known:
    """A contact, as far as association needs to know."""

    contact: int
    company: int | None


@dataclass(frozen=True)
class Found:
    """One association and its reason. Exactly one of ``contact`` and ``company`` is set."""

    rule: str
    role: str
    found: str
    contact: int | None = None
    company: int | None = None


def associate(
    people: Iterable[Named], contacts: Mapping[str, Known], companies: Mapping[str, int], own: Collection[str]
) -> list[Found]:
    """The contacts by address, then their companies, then companies by domain; each record once.

    ``own`` are addresses of accounts and colleagues: they never associate (D3).
    """
    outside = [person for person in in_order(people) if person.address not in own]
    found: dict[tuple[str, int], Found] = {}
    for person in outside:
        known = contacts.get(person.address)
        if known:
            found.setdefault(
                ("contact", known.contact), Found("address", person.role, person.address, contact=known.contact)
            )
    for person in outside:
        known = contacts.get(person.address)
        if known and known.company:
            found.setdefault(
                ("company", known.company), Found("contact", person.role, person.address, company=known.company)
            )
    for person in outside:
        company = _company(person.domain, companies)
        if company:
            found.setdefault(("company", company), Found("domain", person.role, person.domain, company=company))
    return list(found.values())


def in_order(people: Iterable[Named]) -> Sequence[Named]:
    """Those in headers that associate, the telling headers first."""
    return sorted((person for person in people if person.role in ORDER and person.address), key=_rank)


def is_machine(address: str) -> bool:
    """An address nobody answers from."""
    local = address.partition("@")[0].lower()
    return any(local == word or local.startswith((f"{word}+", f"{word}-", f"{word}.", f"{word}_")) for word in MACHINES)


def domains_of(domain: str) -> list[str]:
    """A domain and those above it: mail.lumen.example, lumen.example."""
    steps = domain.split(".")
    return [".".join(steps[start:]) for start in range(len(steps) - 1)]


def name_from(address: str) -> str:
    """A name for somebody who gave none: ``ines.carvalho@…`` is Ines Carvalho."""
    local = address.partition("@")[0]
    words = [word for word in local.replace("_", ".").replace("-", ".").split(".") if word]
    return " ".join(word.capitalize() for word in words) or address


def _rank(person: Named) -> int:
    return ORDER.index(person.role)


def _company(domain: str, companies: Mapping[str, int]) -> int | None:
    return next((companies[one] for one in domains_of(domain) if one in companies), None)
