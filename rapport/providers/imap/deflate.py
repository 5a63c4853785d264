"""COMPRESS=DEFLATE (RFC 4978): whether it pays, and the two streams, which never grow beyond one read in memory."""

import zlib
from dataclasses import dataclass

from rapport.providers.contract import Pace

PAYS_BELOW = 300_000_000
"""Bits a second. Measured: above, packing costs more time than it saves on the way."""
ENOUGH = 1_000_000
"""Octets before a pace is believed."""


class Corrupt(Exception):
    """What came is not a deflated stream."""


def pays(pace: Pace) -> bool:
    """Whether packing what comes is faster than waiting for it, going by what came so far."""
    return pace.octets >= ENOUGH and pace.octets * 8 < PAYS_BELOW * pace.seconds


@dataclass
class Packed:
    """Both directions of a connection, from the moment both sides agreed."""

    at_once: int
    """Octets handed out at one time, whatever was packed into them: what a bomb becomes is taken in small pieces."""

    def __post_init__(self) -> None:
        # Raw deflate, as RFC 4978 has it; the negative number leaves out zlib's own header.
        self._packer = zlib.compressobj(wbits=-15)
        self._unpacker = zlib.decompressobj(wbits=-15)
        self._waiting = b""

    def pack(self, data: bytes) -> bytes:
        """What to send for it, whole: the server need not wait for more."""
        return self._packer.compress(data) + self._packer.flush(zlib.Z_SYNC_FLUSH)

    def feed(self, data: bytes) -> None:
        """What was received."""
        self._waiting += data

    def take(self) -> bytes:
        """Some of what it meant; empty when more has to be received. Raises Corrupt."""
        try:
            data = self._unpacker.decompress(self._waiting, self.at_once)
        except zlib.error as error:
            raise Corrupt("What came was not packed as agreed.") from error
        self._waiting = self._unpacker.unconsumed_tail
        if not data and self._unpacker.eof:
            raise Corrupt("The packed stream ended, and the connection went on.")
        return data
