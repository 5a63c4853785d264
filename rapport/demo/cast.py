"""The cast is everybody who writes in the demo: our own people, our customers, and a few strangers."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

FIRM = "Alder & Finch"
DOMAIN = "alderfinch.example"
SALES, INFO, MARA, TOMASZ = (f"{name}@{DOMAIN}" for name in ("sales", "info", "mara", "tomasz"))
MAILBOXES = (SALES, INFO, MARA, TOMASZ)


@dataclass(frozen=True)
class Voice:
    """Somebody who writes: who they are, and how their mail program writes for them."""

    key: str
    name: str
    address: str
    title: str = ""
    phone: str = ""
    house: str = ""
    habits: frozenset[str] = frozenset()

    @property
    def first_name(self) -> str:
        """What a colleague calls them."""
        return self.name.split()[0]

    @property
    def known(self) -> bool:
        """Is there a contact for them already?"""
        return "stranger" not in self.habits

    def habit(self, name: str, otherwise: str) -> str:
        """The value of a habit written name=value."""
        values = (habit.removeprefix(f"{name}=") for habit in self.habits if habit.startswith(f"{name}="))
        return next(values, otherwise)


@dataclass(frozen=True)
class House:
    """A firm that has people in the cast."""

    key: str
    name: str
    domains: tuple[str, ...]
    city: str
    offset: float
    known: bool


def read_lines(name: str) -> list[str]:
    """The lines of one of the texts kept beside this code."""
    return files("rapport.demo").joinpath("letters", name).read_text("utf-8").splitlines()


@cache
def houses() -> dict[str, House]:
    """Every firm, by its short name."""
    found = (_fields(line) for line in read_lines("cast.txt") if line.strip() and line[0] not in " #")
    rows = [(*row, "")[:6] for row in found]
    return {
        key: House(key, name, tuple(domains.split()), city, float(offset), note != "stranger")
        for key, name, domains, city, offset, note in rows
    }


@cache
def voices() -> dict[str, Voice]:
    """Everybody, by their short name."""
    found: dict[str, Voice] = {}
    house = ""
    for line in read_lines("cast.txt"):
        if line.startswith("  "):
            key, name, address, title, phone, habits = (*_fields(line), "")[:6]
            found[key] = Voice(key, name, address, title, phone, house, frozenset(habits.split()))
        elif line.strip() and not line.startswith("#"):
            house = _fields(line)[0]
    return found


def ours(voice: Voice) -> bool:
    """Do they work at Alder & Finch?"""
    return voice.house == "us"


def _fields(line: str) -> list[str]:
    return [field.strip() for field in line.split("|")]
