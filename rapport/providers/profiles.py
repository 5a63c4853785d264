"""What is known of single providers beforehand: how many connections they allow, and what of theirs not to rely on."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

_TABLE = Path(__file__).with_name("profiles.toml")


@dataclass(frozen=True)
class Profile:
    """One provider. What is true here is used where the server has it, and tested as far as it can be."""

    name: str = "default"
    connections: int = 10
    """At once, for one person."""
    esearch: bool = True
    """SEARCH RETURN answers what RFC 4731 says."""
    qresync: bool = True
    condstore: bool = True
    """HIGHESTMODSEQ only grows."""
    search: bool = True
    """What SEARCH finds is all there is. Otherwise messages are listed by FETCH."""
    list_status: bool = True
    utf8: bool = True
    """ENABLE UTF8=ACCEPT does no harm."""
    compress: bool = True
    id_first: bool = False
    """ID is said, and its answer awaited, before anything else."""
    keepalive: int = 0
    """Seconds after which a connection that only listens has to be renewed; 0: what is usual."""


class BadProfile(ValueError):
    """A word that no profile has, or of another kind than it ought to be."""


def of(host: str, overrides: Mapping[str, bool | int] | None = None) -> Profile:
    """The profile of the provider behind a host, with a person's own settings above it. Raises BadProfile."""
    spelled = host.rstrip(".").lower()
    named = next((known for pattern, known in _patterns() if fnmatchcase(spelled, pattern)), _known()["default"])
    return _with(named, overrides or {})


def _with(profile: Profile, words: Mapping[str, bool | int]) -> Profile:
    kinds = {field.name: type(getattr(profile, field.name)) for field in fields(Profile) if field.name != "name"}
    for word, value in words.items():
        if word not in kinds or type(value) is not kinds[word]:
            raise BadProfile(f"{word} = {value!r} is no setting of a provider.")
    # Checked above against the very fields, which a checker of types cannot follow.
    return replace(profile, **words)  # type: ignore[arg-type]


@cache
def _known() -> Mapping[str, Profile]:
    table = tomllib.loads(_TABLE.read_text(encoding="utf-8"))
    default = _with(Profile(), _words(table["default"]))
    return {name: replace(_with(default, _words(entry)), name=name) for name, entry in table.items()}


@cache
def _patterns() -> tuple[tuple[str, Profile], ...]:
    table = tomllib.loads(_TABLE.read_text(encoding="utf-8"))
    return tuple((pattern, _known()[name]) for name, entry in table.items() for pattern in entry["hosts"])


def _words(entry: Mapping[str, bool | int]) -> Mapping[str, bool | int]:
    return {word: value for word, value in entry.items() if word != "hosts"}
