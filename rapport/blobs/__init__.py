"""Blobs are the raw messages, kept by the hash of their content, compressed, one file each."""

import os
import secrets
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

import zstandard
from django.conf import settings


class Missing(Exception):
    """There is no blob of this hash, or its bytes are no longer what the hash says."""


def put_all(raws: Iterable[bytes]) -> list[str]:
    """Keep these bytes and give their hashes. They are on the disk when this returns.

    All are written, then all are flushed: the first flush carries most of the others with it.
    """
    digests = []
    drafts: dict[Path, tuple[Path, int]] = {}
    try:
        for raw in raws:
            digest = sha256(raw).hexdigest()
            digests.append(digest)
            path = _path(digest)
            if path not in drafts and not path.exists():
                drafts[path] = _draft(path, zstandard.ZstdCompressor(level=3).compress(raw))
        for _, descriptor in drafts.values():
            os.fsync(descriptor)
    finally:
        for _, descriptor in drafts.values():
            os.close(descriptor)
    for path, (draft, _) in drafts.items():
        draft.rename(path)
    for folder in {path.parent for path in drafts}:
        _flush(folder)
    return digests


def put(raw: bytes) -> str:
    """Keep these bytes; their SHA-256 in lower-case hexadecimal."""
    return put_all([raw])[0]


def get(digest: str) -> bytes:
    """The bytes of this hash. Raises Missing."""
    try:
        raw = zstandard.ZstdDecompressor().decompress(_path(digest).read_bytes())
    except (OSError, zstandard.ZstdError) as error:
        raise Missing(digest) from error
    if sha256(raw).hexdigest() != digest:
        raise Missing(digest)
    return raw


def erase(digest: str) -> None:
    """Remove the bytes; nothing happens where there are none."""
    _path(digest).unlink(missing_ok=True)


def _path(digest: str) -> Path:
    return Path(settings.BLOBS) / digest[:2] / f"{digest[2:]}.zst"


def _draft(path: Path, packed: bytes) -> tuple[Path, int]:
    """The bytes under another name, and its open file: a reader, and a crash, see the whole blob or none."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    left = memoryview(packed)
    while left:
        left = left[os.write(descriptor, left) :]
    return draft, descriptor


def _flush(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
