"""An account of ours on the model server, synced by the engine as a worker does it, and watched at every pass."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import override_settings

from rapport.mime.child import Parsers
from tests.proving.ordeal import OnModel
from tests.servers.model import Model


@pytest.fixture(autouse=True)
def in_memory() -> Iterator[None]:
    """Raw mail lies in memory where there is such a place: nothing here cuts the power, and fsync is what takes time."""
    shared = Path("/dev/shm")  # noqa: S108  # a folder of our own is made in it
    with (
        tempfile.TemporaryDirectory(dir=shared if shared.is_dir() else None) as folder,
        override_settings(BLOBS=Path(folder)),
    ):
        yield


@pytest.fixture(scope="session")
def parsers() -> Iterator[Parsers]:
    with Parsers(1) as children:
        yield children


@pytest.fixture
def model() -> Iterator[Model]:
    with Model() as server:
        yield server


@pytest.fixture
def ordeal(db: None, model: Model, parsers: Parsers) -> OnModel:
    return OnModel.connected(model, parsers)
