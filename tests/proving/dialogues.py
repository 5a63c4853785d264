r"""The same words to two servers, and their answers made comparable.

A dialogue is lines of ``A: command`` and ``B: command``: two clients of one mailbox. ``{modseq}``, ``{validity}`` and
``{uidnext}`` stand for what that client was told last; ``\r\n`` in a line ends a literal.
"""

import re
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

USES = {"\\drafts", "\\sent", "\\trash", "\\junk", "\\archive", "\\noselect", "\\nonexistent"}
Answer = tuple[str, ...]
"""Everything said to one command, sorted, without what servers are free to say."""
_NUMBERS = {"HIGHESTMODSEQ": "modseq", "UIDVALIDITY": "validity", "UIDNEXT": "uidnext"}


class Client:
    """One connection, signed in."""

    def __init__(self, host: str, port: int, user: str) -> None:
        self._socket = socket.create_connection((host, port), timeout=10)
        self._file = self._socket.makefile("rb")
        self._file.readline()
        self._tag = 0
        self._modseqs = False
        self.known = {"modseq": "0", "validity": "0", "uidnext": "0"}
        self.say(f"LOGIN {user} secret")

    def say(self, command: str) -> Answer:
        """A command, and everything up to its tagged answer."""
        for name, value in self.known.items():
            command = command.replace(f"{{{name}}}", value)
        self._modseqs = self._modseqs or bool(re.search("CONDSTORE|QRESYNC|MODSEQ|CHANGEDSINCE", command))
        self._tag += 1
        self._socket.sendall(f"{self._tag} {command}\r\n".encode("latin-1"))
        said = list[str]()
        while True:
            line = self._line()
            self._learn(line)
            tag, _, rest = line.partition(" ")
            if tag == str(self._tag):
                return self._comparable(said, rest)
            said.append(rest if tag == "*" else line)

    def _comparable(self, said: list[str], answer: str) -> Answer:
        """Whether HIGHESTMODSEQ is told to a client that never asked for mod-sequences is the server's choice."""
        plain_ones = [text for text in map(plain, said) if text and (self._modseqs or "HIGHESTMODSEQ" not in text)]
        return (*sorted(plain_ones), _tagged(answer))

    def close(self) -> None:
        self._file.close()
        self._socket.close()

    def _line(self) -> str:
        """One response, its literals in their places."""
        line = self._file.readline()
        if not line:
            return f"{self._tag} EOF"
        text = line.removesuffix(b"\r\n")
        while found := re.search(rb"\{(\d+)\}\Z", text):
            octets = self._file.read(int(found[1]))
            rest = self._file.readline().removesuffix(b"\r\n")
            text = text[: found.start()] + b'"' + octets.replace(b'"', b"'") + b'"' + rest
        return text.decode("latin-1")

    def _learn(self, line: str) -> None:
        for word, name in _NUMBERS.items():
            if found := re.search(rf"\[{word} (\d+)\]", line):
                self.known[name] = found[1]


@dataclass
class Play:
    """A dialogue as one server answers it."""

    host: str
    port: int
    user: str
    answers: list[tuple[str, Answer]] = field(default_factory=list)

    def run(self, lines: str) -> list[tuple[str, Answer]]:
        """Say every line, and give what came back."""
        clients: dict[str, Client] = {}
        try:
            for line in filter(None, map(str.strip, lines.splitlines())):
                who, _, command = line.partition(": ")
                if who not in clients:
                    clients[who] = Client(self.host, self.port, self.user)
                self.answers.append((line, clients[who].say(command.encode().decode("unicode_escape"))))
        finally:
            for client in clients.values():
                client.close()
        return self.answers


def plain(text: str) -> str:
    """An untagged response without what servers are free to say; empty when nothing is left of it."""
    word, _, rest = text.partition(" ")
    if word.isdigit():
        return _numbered(int(word), rest)
    way = _WAYS.get(word)
    return way(rest) if way else ""


def _numbered(number: int, rest: str) -> str:
    kind, _, items = rest.partition(" ")
    if kind == "FETCH":
        return f"{number} FETCH {_items(items[1:-1])}"
    if kind == "EXPUNGE":
        # The order, and so the numbers, are the server's to choose; what is left is asked for afterwards.
        return "EXPUNGE"
    return f"{number} {kind}" if kind == "EXISTS" else ""


def _items(text: str) -> str:
    """The attributes of a FETCH in alphabetical order."""
    text = re.sub(r"MODSEQ \(\d+\)", "MODSEQ (M)", text)
    found = re.findall(r'([A-Z][A-Z0-9.]*(?:\[[^\]]*\](?:<\d+>)?)?) (\([^)]*\)|"[^"]*"|\S+)', text)
    ways = {"FLAGS": _flags, "INTERNALDATE": _moment}
    return " ".join(f"{name} {ways.get(name, str)(value)}" for name, value in sorted(found))


def _moment(text: str) -> str:
    """The same instant, in whatever zone a server keeps it."""
    return datetime.strptime(text.strip('"').strip(), "%d-%b-%Y %H:%M:%S %z").astimezone(UTC).isoformat()


def _flags(text: str) -> str:
    return "(" + " ".join(sorted(flag for flag in text[1:-1].split() if flag != "\\Recent")) + ")"


def _code(rest: str) -> str:
    found = re.match(r"\[([A-Z-]+)(?: ([^\]]*))?\]", rest)
    if not found or found[1] in ("PERMANENTFLAGS", "UNSEEN", "RECENT"):
        return ""
    return f"[{found[1]} {_arguments(found[1], found[2] or '')}]"


def _arguments(code: str, text: str) -> str:
    if code in ("UIDVALIDITY", "HIGHESTMODSEQ"):
        return "N"
    if code in ("APPENDUID", "COPYUID"):
        return re.sub(r"^\d+", "N", text)
    return text if code == "UIDNEXT" else ""


def _listed(rest: str) -> str:
    found = re.match(r'\(([^)]*)\) (NIL|"[^"]*") (.*)', rest)
    assert found is not None
    uses = sorted(word for word in found[1].lower().split() if word in USES)
    return f"LIST {uses} {found[2]} " + found[3].strip('"')


def _status(rest: str) -> str:
    name, _, items = rest.partition(" (")
    pairs = sorted(zip(items[:-1].split()[::2], items[:-1].split()[1::2], strict=True))
    said = " ".join(f"{key} {'N' if key in ('UIDVALIDITY', 'HIGHESTMODSEQ') else value}" for key, value in pairs)
    return f"STATUS {name.strip(chr(34))} {said}"


def _tagged(rest: str) -> str:
    kind, _, text = rest.partition(" ")
    code = _code(text) if kind == "OK" else ""
    return kind if "CLIENTBUG" in code else f"{kind} {code}".strip()


_WAYS: dict[str, Callable[[str], str]] = {
    "OK": _code,
    "LIST": _listed,
    "STATUS": _status,
    "SEARCH": lambda rest: "SEARCH " + " ".join(re.sub(r"\(MODSEQ \d+\)", "(MODSEQ M)", rest).split()),
    "ESEARCH": lambda rest: "ESEARCH " + re.sub(r'\(TAG "?\w+"?\) ?', "", rest),
    # Whether an ENABLE that enabled nothing says so is the server's choice in practice.
    "ENABLED": lambda rest: rest and "ENABLED " + " ".join(sorted(rest.split())),
    "VANISHED": lambda rest: f"VANISHED {rest}",
    "NAMESPACE": lambda rest: f"NAMESPACE {rest}",
    "BYE": lambda rest: "BYE",
}
