"""Raw bytes by their hash."""

import os
import time
from pathlib import Path

import pytest
from django.conf import settings
from django.db import transaction
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from rapport.blobs import keep
from rapport.blobs.models import Blob
from rapport.blobs.packs import Packs, Span

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(settings, "BLOBS", tmp_path / "blobs")
    return tmp_path / "blobs"


def _all(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.glob("*.pack"))


@hypothesis(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(st.lists(st.binary(max_size=2000), max_size=5))
def test_what_goes_in_comes_out(raws: list[bytes]) -> None:
    places = keep.write(raws)
    keep.enter(places)

    assert [keep.get(place.sha256) for place in places] == raws


def test_the_same_bytes_are_kept_once(folder: Path, django_capture_on_commit_callbacks: object) -> None:
    raw = os.urandom(500)
    digest = keep.put(raw)
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]  # pytest-django's fixture
        keep.enter(keep.write([raw, raw]))

    assert Blob.objects.count() == 1
    assert keep.get(digest) == raw
    assert _all(folder).count(raw) == 1


def test_erased_means_erased(folder: Path) -> None:
    """R68: the bytes are gone from the disk, the neighbours are not."""
    secret, other = os.urandom(500), os.urandom(500)
    places = keep.write([secret, other])
    keep.enter(places)

    keep.erase([places[0].sha256])
    keep.erase([places[0].sha256])

    with pytest.raises(keep.Missing):
        keep.get(places[0].sha256)
    assert keep.get(places[1].sha256) == other
    assert secret not in _all(folder)


def test_damage_is_noticed(folder: Path) -> None:
    digest = keep.put(b"precious")
    (path,) = folder.glob("*.pack")
    path.write_bytes(path.read_bytes()[:-3] + b"xxx")

    with pytest.raises(keep.Missing):
        keep.get(digest)


def test_what_no_row_names_is_tidied_away(folder: Path) -> None:
    """A crash between the bytes and their row leaves nothing for ever."""
    lost, kept = os.urandom(500), os.urandom(500)
    keep.write([lost])
    digest = keep.put(kept)
    keep.tidy()
    assert lost in _all(folder), "somebody may be writing it just now"

    for path in folder.glob("*.pack"):
        os.utime(path, (time.time() - 7200, time.time() - 7200))
    keep.tidy()

    assert lost not in _all(folder)
    assert keep.get(digest) == kept
    keep.erase([digest])
    for path in folder.glob("*.pack"):
        os.utime(path, (time.time() - 7200, time.time() - 7200))
    keep.tidy()
    assert not list(folder.glob("*.pack"))


def test_a_transaction_that_fails_keeps_nothing() -> None:
    places = keep.write([b"never"])
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        keep.enter(places)
        _ = 1 / 0

    with pytest.raises(keep.Missing):
        keep.get(places[0].sha256)


def test_a_full_pack_is_followed_by_another(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rapport.blobs.packs.FULL", 100)
    raws = [os.urandom(200) for _ in range(3)]

    digests = [keep.put(raw) for raw in raws]

    assert len(list(folder.glob("*.pack"))) == 3
    assert [keep.get(digest) for digest in digests] == raws


def test_packs_are_private_and_whoever_writes_has_one_alone(folder: Path) -> None:
    packs = Packs(folder)
    with packs._pack() as one, packs._pack() as other:
        assert one != other
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert packs.unused(one.name, [Span(one.name, 0, 0)]) == []
