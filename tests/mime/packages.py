"""Outlook's package and rich text, made by hand as [MS-OXTNEF] says, for the tests that take them apart."""

import struct

SIGNATURE = struct.pack("<IH", 0x223E9F78, 1)
UNICODE, BINARY, OBJECT, LONG = 0x1F, 0x102, 0x0D, 0x03


def winmail(*attributes: bytes) -> bytes:
    return SIGNATURE + b"".join(attributes)


def attribute(level: int, name: int, value: bytes) -> bytes:
    return struct.pack("<BII", level, name, len(value)) + value + struct.pack("<H", sum(value) & 0xFFFF)


def properties(*listed: tuple[int, int, bytes]) -> bytes:
    return struct.pack("<I", len(listed)) + b"".join(_property(*one) for one in listed)


def body(text: bytes) -> bytes:
    return attribute(1, 0x0002800C, text + b"\0")


def message(*listed: tuple[int, int, bytes]) -> bytes:
    return attribute(1, 0x00069003, properties(*listed))


def file(name: bytes, content: bytes, *listed: tuple[int, int, bytes]) -> bytes:
    parts = [attribute(2, 0x00069002, b"\0" * 14), attribute(2, 0x00018010, name + b"\0")]
    parts += [attribute(2, 0x0006800F, content)] if content else []
    parts += [attribute(2, 0x00069005, properties(*listed))] if listed else []
    return b"".join(parts)


def _property(type_: int, number: int, value: bytes) -> bytes:
    head = struct.pack("<HH", type_, number)
    if number >= 0x8000:
        # A named one: its set, and its name as text.
        name = "Title".encode("utf-16-le")
        head += b"\1" * 16 + struct.pack("<II", 1, len(name)) + name + b"\0" * (-len(name) % 4)
    padded = value + b"\0" * (-len(value) % 4)
    return head + (padded if type_ == LONG else struct.pack("<II", 1, len(value)) + padded)


def text(said: str) -> bytes:
    return (said + "\0").encode("utf-16-le")


HELLO_WORLD = bytes.fromhex(
    "2d0000002b0000004c5a4675f1c5c7a703000a00726370673132354232 0af32068656c090020627705b06c647d0a800fa0"
)
"""Compressed rich text ([MS-OXRTFCP], 4.1.1): ``hello world``."""
OVER_ITSELF = bytes.fromhex("1a0000001c0000004c5a4675e2d44b51410004205758595a0d6e7d010eb0")
"""The same, of a run that refers to itself ([MS-OXRTFCP], 4.1.2)."""
