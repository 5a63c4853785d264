"""Raw bytes by their hash."""

from pathlib import Path

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st

from rapport import blobs


@given(st.lists(st.binary(max_size=2000), max_size=5))
def test_what_goes_in_comes_out(raws: list[bytes]) -> None:
    assert [blobs.get(digest) for digest in blobs.put_all(raws)] == raws


def test_nothing_half_written_is_ever_there() -> None:
    digest = blobs.put(b"whole")

    names = [path.name for path in Path(settings.BLOBS, digest[:2]).iterdir()]

    assert f"{digest[2:]}.zst" in names
    assert not [name for name in names if name.startswith(".")]


def test_erased_means_erased() -> None:
    digest = blobs.put(b"to be forgotten")

    blobs.erase(digest)
    blobs.erase(digest)

    with pytest.raises(blobs.Missing):
        blobs.get(digest)


def test_damage_is_noticed() -> None:
    digest = blobs.put(b"precious")
    path = Path(settings.BLOBS, digest[:2], f"{digest[2:]}.zst")
    path.write_bytes(path.read_bytes()[:-3])

    with pytest.raises(blobs.Missing):
        blobs.get(digest)
