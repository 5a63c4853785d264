"""The folders of a mailbox: one LIST, heard together with STATUS and NAMESPACE, made into plain values."""

from dataclasses import dataclass, field

from rapport.providers.contract import FolderState, RemoteFolder
from rapport.providers.imap import commands, names
from rapport.providers.imap.commands import Command, plain
from rapport.providers.imap.responses import Listed, Namespaces, Response, StatusOf
from rapport.providers.imap.roles import Candidate, resolve
from rapport.providers.imap.session import speakable

FOLDERS = 10_000
"""More are not listed: nobody has them, but shared namespaces and broken servers do."""


@dataclass
class Folders:
    """What was heard of folders so far."""

    listed: dict[bytes, Listed] = field(default_factory=dict)
    states: dict[bytes, FolderState] = field(default_factory=dict)
    namespaces: Namespaces | None = None

    def question(self, capabilities: frozenset[str]) -> Command:
        """LIST with as much as the server can put into one answer (RFC 5258, 6154, 5819)."""
        wanted = []
        if {"LIST-EXTENDED", "SPECIAL-USE"} <= capabilities:
            wanted.append(b"SPECIAL-USE")
        if {"LIST-EXTENDED", "LIST-STATUS"} <= capabilities:
            wanted.append(b"STATUS (%s)" % _items(capabilities))
        more = [b"RETURN (%s)" % b" ".join(wanted)] if wanted else []
        return plain("LIST", b'""', b'"*"', *more)

    def status_question(self, folder: bytes, capabilities: frozenset[str]) -> Command:
        """STATUS of one folder."""
        return speakable(lambda: plain("STATUS", commands.astring(folder), b"(%s)" % _items(capabilities)))

    def hear(self, response: Response) -> bool:
        """Take note of what belongs here."""
        if isinstance(response, Listed):
            name = names.canonical(response.name)
            if name and len(self.listed) < FOLDERS:
                self.listed.setdefault(name, response)
        elif isinstance(response, StatusOf):
            if len(self.states) < FOLDERS:
                self.states[names.canonical(response.name)] = _state(response.numbers)
        elif isinstance(response, Namespaces):
            self.namespaces = response
        else:
            return False
        return True

    def result(self) -> list[RemoteFolder]:
        """Every folder that is the person's own, with its role."""
        own = [(name, listed) for name, listed in self.listed.items() if not self._foreign(name)]
        candidates = [Candidate(names.decode(name), listed.delimiter, listed.attributes) for name, listed in own]
        return [
            RemoteFolder(
                wire=name,
                name=candidate.name,
                delimiter=listed.delimiter,
                role=role,
                selectable=not candidate.attributes & {"\\noselect", "\\nonexistent"},
                state=self.states.get(name),
            )
            for (name, listed), candidate, role in zip(own, candidates, resolve(candidates), strict=True)
        ]

    def _foreign(self, name: bytes) -> bool:
        """Whether it belongs to other people: below one of their prefixes and below none longer of our own."""
        if self.namespaces is None:
            return False
        theirs = max((len(p) for p in self.namespaces.foreign if p and name.startswith(p)), default=0)
        ours = max((len(p) for p in self.namespaces.personal if name.startswith(p)), default=0)
        return theirs > ours


def _items(capabilities: frozenset[str]) -> bytes:
    modseq = b" HIGHESTMODSEQ" if "CONDSTORE" in capabilities else b""
    return b"MESSAGES UIDNEXT UIDVALIDITY" + modseq


def _state(numbers: dict[str, int]) -> FolderState:
    return FolderState(
        numbers.get("MESSAGES", 0), numbers.get("UIDNEXT"), numbers.get("UIDVALIDITY"), numbers.get("HIGHESTMODSEQ")
    )
