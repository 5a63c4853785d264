"""Keeping bytes by their hash, giving them back, and erasing them so that they are gone."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

import zstandard
from django.conf import settings
from django.db import transaction

from rapport.blobs.models import Blob
from rapport.blobs.packs import Packs, Span
from rapport.database import rows

AT_ONCE = 500
"""Values in one IN (…)."""
RESTED = 3600.0
"""Seconds without a write after which a pack is looked at for what nobody names."""


class Missing(Exception):
    """There are no bytes of this hash, or they are no longer what the hash says."""


@dataclass(frozen=True)
class Place:
    """Bytes that are on the disk, and where. They are kept once ``enter`` has named them in a transaction."""

    sha256: str
    span: Span


def write(raws: Iterable[bytes]) -> list[Place]:
    """Put these bytes on the disk. Asks the database nothing, so any thread may; safe when this returns."""
    raws = list(raws)
    packed = [zstandard.ZstdCompressor(level=3).compress(raw) for raw in raws]
    spans = _packs().append(packed)
    return [Place(sha256(raw).hexdigest(), span) for raw, span in zip(raws, spans, strict=True)]


def enter(places: Sequence[Place]) -> None:
    """Inside the transaction that refers to them: from its commit on, these bytes are kept.

    What was kept before, under the same hash, stays, and the second copy is wiped.
    """
    once = {place.sha256: place for place in places}
    here = set(Blob.objects.filter(sha256__in=list(once)).values_list("sha256", flat=True))
    new = ((one.sha256, one.span.pack, one.span.offset, one.span.length) for one in once.values())
    rows.insert(Blob, ("sha256", "pack", "offset", "length"), (row for row in new if row[0] not in here), ignore=True)
    doubled = [place.span for place in places if place.sha256 in here or place is not once[place.sha256]]
    if doubled:
        transaction.on_commit(lambda: _packs().wipe(doubled))


def put(raw: bytes) -> str:
    """Keep these bytes by themselves; their SHA-256 in lower-case hexadecimal."""
    (place,) = write([raw])
    with transaction.atomic():
        enter([place])
    return place.sha256


def get(digest: str) -> bytes:
    """The bytes of this hash. Raises Missing."""
    row = Blob.objects.filter(pk=digest).first()
    if row is None:
        raise Missing(digest)
    try:
        raw = zstandard.ZstdDecompressor().decompress(_packs().read(Span(row.pack, row.offset, row.length)))
    except (OSError, zstandard.ZstdError) as error:
        raise Missing(digest) from error
    if sha256(raw).hexdigest() != digest:
        raise Missing(digest)
    return raw


def erase(digests: Iterable[str]) -> None:
    """Overwrite these bytes and forget them; nothing happens where there are none."""
    every = list(digests)
    for start in range(0, len(every), AT_ONCE):
        found = Blob.objects.filter(pk__in=every[start : start + AT_ONCE])
        # First the bytes, then the row: a crash in between leaves a row that can be erased again.
        _packs().wipe(Span(row.pack, row.offset, row.length) for row in found)
        found.delete()


def tidy() -> None:
    """Wipe what a crash left behind that no row names, and drop packs that hold nothing any more."""
    packs = _packs()
    for pack in packs.resting(time.time() - RESTED):
        named = Blob.objects.filter(pack=pack).order_by("offset").values_list("offset", "length")
        used = [Span(pack, offset, length) for offset, length in named]
        if used:
            packs.wipe(span for span in packs.unused(pack, used) if not _is_wiped(packs, span))
        else:
            packs.drop(pack)


def _is_wiped(packs: Packs, span: Span) -> bool:
    return not packs.read(Span(span.pack, span.offset, min(span.length, 4))).strip(b"\0")


def _packs() -> Packs:
    return _of(Path(settings.BLOBS))


@cache
def _of(folder: Path) -> Packs:
    return Packs(folder)
