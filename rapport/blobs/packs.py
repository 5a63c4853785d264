"""Packs: files that only grow. Many messages are made safe by one flush, and each can be wiped where it lies."""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from uuid import uuid4

FULL = 64 * 1024 * 1024
"""Octets after which a new pack is begun."""
_ZEROS = bytes(1024 * 1024)


@dataclass(frozen=True)
class Span:
    """A stretch of a pack."""

    pack: str
    offset: int
    length: int


class Packs:
    """The packs of one folder. Each is written by one thread of one process at a time, and read by anybody."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._idle: list[Path] = []
        self._lock = Lock()

    def append(self, pieces: Iterable[bytes]) -> list[Span]:
        """Write these, and come back when they are on the disk."""
        with self._pack() as path, path.open("ab") as file:
            spans = []
            for piece in pieces:
                spans.append(Span(path.name, file.tell(), len(piece)))
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        return spans

    def read(self, span: Span) -> bytes:
        """What lies there. Raises OSError."""
        with self._path(span.pack).open("rb") as file:
            file.seek(span.offset)
            return file.read(span.length)

    def wipe(self, spans: Iterable[Span]) -> None:
        """Overwrite these with zeros, on the disk when this returns. A pack that is gone holds nothing any more."""
        for span in spans:
            try:
                file = self._path(span.pack).open("r+b")
            except FileNotFoundError:
                continue
            with file:
                file.seek(span.offset)
                left = span.length
                while left > 0:
                    left -= file.write(_ZEROS[:left])
                file.flush()
                os.fsync(file.fileno())

    def unused(self, pack: str, used: Sequence[Span]) -> list[Span]:
        """The stretches of a pack that none of ``used`` (by offset) covers."""
        free, end = [], 0
        for span in used:
            if span.offset > end:
                free.append(Span(pack, end, span.offset - end))
            end = max(end, span.offset + span.length)
        size = self._path(pack).stat().st_size
        return [*free, Span(pack, end, size - end)] if size > end else free

    def resting(self, since: float) -> list[str]:
        """Packs nobody has written to since that moment (seconds since the epoch)."""
        return [path.name for path in self._folder.glob("*.pack") if path.stat().st_mtime < since]

    def drop(self, pack: str) -> None:
        """Remove a whole pack."""
        self._path(pack).unlink(missing_ok=True)

    def _path(self, pack: str) -> Path:
        return self._folder / pack

    @contextmanager
    def _pack(self) -> Iterator[Path]:
        """A pack that nobody else writes to."""
        with self._lock:
            path = self._idle.pop() if self._idle else None
        if path is None or not path.exists() or path.stat().st_size > FULL:
            path = self._new()
        yield path
        with self._lock:
            self._idle.append(path)

    def _new(self) -> Path:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Of 32 characters, the name's length in the table.
        path = self._folder / f"{uuid4().hex[:27]}.pack"
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        descriptor = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        return path
