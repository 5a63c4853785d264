"""The folders of a mailbox: one LIST, heard together with STATUS and NAMESPACE, made into plain values."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from rapport.providers.contract import FolderState, RemoteFolder
from rapport.providers.imap import commands, names
from rapport.providers.imap.commands import Command, plain
from rapport.providers.imap.responses import Listed, Namespaces, Response, StatusOf
from rapport.providers.imap.roles import Candidate, resolve

FOLDERS = 10_000
"""More are not listed: nobody has them, but shared namespaces and broken servers do."""
INBOX = b"INBOX"


@dataclass
class Folders:
    """What was heard of folders so far."""

    namespaces: Namespaces | None = None
    listed: dict[bytes, Listed] = field(default_factory=dict)
    """By the name as it stood on the wire."""
    told: dict[bytes, FolderState] = field(default_factory=dict)

    def question(self, capabilities: frozenset[str]) -> Command:
        """LIST with as much as the server can put into one answer (RFC 5258, 6154, 5819)."""
        wanted = []
        if {"LIST-EXTENDED", "SPECIAL-USE"} <= capabilities:
            wanted.append(b"SPECIAL-USE")
        if {"LIST-EXTENDED", "LIST-STATUS"} <= capabilities:
            wanted.append(b"STATUS (%s)" % _items(capabilities))
        more = [b"RETURN (%s)" % b" ".join(wanted)] if wanted else []
        return plain("LIST", b'""', b'"*"', *more)

    def hear(self, response: Response) -> bool:
        """Take note of what belongs here. Other people's folders are not kept, however many there are (hazard 43)."""
        if isinstance(response, Listed):
            if response.name and len(self.listed) < FOLDERS and not self._foreign(response):
                self.listed.setdefault(names.canonical(response.name), response)
        elif isinstance(response, StatusOf):
            # 163.com sends a STATUS without numbers: that is none (hazard 63).
            if len(self.told) < FOLDERS and "MESSAGES" in response.numbers:
                self.told[names.canonical(response.name)] = _state(response.numbers)
        elif isinstance(response, Namespaces):
            self.namespaces = response
        else:
            return False
        return True

    def states(self, *, utf8: bool) -> Mapping[bytes, FolderState]:
        """What was told of folders, by their keys."""
        return {names.key(name, utf8=utf8): state for name, state in self.told.items()}

    def result(self, *, utf8: bool) -> list[RemoteFolder]:
        """Every folder that is the person's own, with its role."""
        own = {names.key(name, utf8=utf8): listed for name, listed in self.listed.items() if not self._foreign(listed)}
        # Every mailbox has an INBOX (RFC 9051, 5.1), also where LIST leaves it out.
        own.setdefault(INBOX, Listed(frozenset(), _delimiter(own), INBOX))
        states = self.states(utf8=utf8)
        candidates = [
            Candidate(names.decode(name), listed.delimiter, listed.attributes) for name, listed in own.items()
        ]
        return [
            RemoteFolder(
                wire=name,
                name=candidate.name,
                delimiter=candidate.delimiter,
                role=role,
                selectable=not candidate.attributes & {"\\noselect", "\\nonexistent"},
                state=states.get(name),
            )
            for name, candidate, role in zip(own, candidates, resolve(candidates), strict=True)
        ]

    def _foreign(self, listed: Listed) -> bool:
        """Whether it belongs to other people: below one of their prefixes and below none longer of our own."""
        if self.namespaces is None:
            return False
        theirs = max((len(p) for p in self.namespaces.foreign if p and _below(listed, p)), default=0)
        ours = max((len(p) for p in self.namespaces.personal if _below(listed, p)), default=0)
        return theirs > ours


def status_question(folder: bytes, capabilities: frozenset[str]) -> Command:
    """STATUS of one folder, as it is spelled on this connection."""
    return plain("STATUS", commands.astring(folder), b"(%s)" % _items(capabilities))


def _below(listed: Listed, prefix: bytes) -> bool:
    """Whether a folder lies under a prefix, or is the prefix without its delimiter (hazard 35)."""
    delimiter = listed.delimiter.encode("latin-1")
    root = prefix.removesuffix(delimiter) if delimiter else prefix
    rest = listed.name[len(root) :]
    return listed.name.startswith(root) and (not root or not rest or not delimiter or rest.startswith(delimiter))


def _delimiter(own: Mapping[bytes, Listed]) -> str:
    return next((listed.delimiter for listed in own.values()), "")


def _items(capabilities: frozenset[str]) -> bytes:
    modseq = b" HIGHESTMODSEQ" if "CONDSTORE" in capabilities else b""
    return b"MESSAGES UIDNEXT UIDVALIDITY" + modseq


def _state(numbers: dict[str, int]) -> FolderState:
    return FolderState(
        numbers.get("MESSAGES", 0), numbers.get("UIDNEXT"), numbers.get("UIDVALIDITY"), numbers.get("HIGHESTMODSEQ")
    )
