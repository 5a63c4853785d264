"""Papers are the files people attach: small, real, and made here rather than kept here."""

import io
import random
import struct
import zipfile
import zlib
from collections.abc import Callable

_TYPES = {
    "pdf": "application/pdf",
    "png": "image/png",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "zip": "application/zip",
    "dwg": "image/vnd.dwg",
    "csv": "text/csv",
}
_NO_DATE = (2025, 1, 1, 0, 0, 0)  # a zip carries dates: a fixed one keeps the bytes the same every time


def content_type(name: str) -> str:
    """The MIME type a mail program would give to a file of this name."""
    return _TYPES.get(name.rpartition(".")[2], "application/octet-stream")


def paper(name: str, size: int) -> bytes:
    """A file of this name, of about this size, always the same bytes."""
    make = _MAKERS.get(name.rpartition(".")[2], _noise)
    return make(name, size)


def _noise(name: str, size: int) -> bytes:
    return random.Random(name).randbytes(max(size, 0))


def _pdf(name: str, size: int) -> bytes:
    """One A4 page with the file's name on it, and a stream nobody looks at that brings it to size."""
    title = name.rpartition(".")[0].replace("_", " ").encode("ascii", "replace")
    page = b"BT /F1 20 Tf 60 770 Td (" + title + b") Tj 0 -30 Td /F1 11 Tf (Alder & Finch Acoustics) Tj ET"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 5 0 R /Resources 7 0 R >>",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        _stream(page),
        _stream(_noise(name, size - 1000)),
        b"<< /Font << /F1 4 0 R >> >>",
    ]
    return _pdf_file(objects)


def _stream(data: bytes) -> bytes:
    return b"<< /Length %d >>\nstream\n" % len(data) + data + b"\nendstream"


def _pdf_file(objects: list[bytes]) -> bytes:
    file, offsets = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"), []
    for number, body in enumerate(objects, 1):
        offsets.append(len(file))
        file += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    xref = len(file)
    file += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    file += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    file += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, xref)
    return bytes(file)


def _png(name: str, size: int) -> bytes:
    """Felt seen from close by: one colour, softly grained, in stripes."""
    rng, side = random.Random(name), max(24, min(400, int((size / 2) ** 0.5)))
    base = [rng.randrange(60, 180) for _ in range(3)]
    rows = b"".join(b"\0" + _felt(rng, side, base, 12 if y // 22 % 2 else 0) for y in range(side))
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def _felt(rng: random.Random, width: int, base: list[int], light: int) -> bytes:
    """One row of pixels: each channel is grain around a colour."""
    row = bytearray(width * 3)
    for channel, middle in enumerate(base):
        shades = bytes(middle + light + grain % 28 for grain in range(256))
        row[channel::3] = rng.randbytes(width).translate(shades)
    return bytes(row)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _zip(name: str, size: int) -> bytes:
    """Three photos of a room."""
    return _zipped({f"photo-{n}.png": _png(f"{name} {n}", size // 3) for n in (1, 2, 3)})


def _zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, _NO_DATE), data)
    return buffer.getvalue()


def _xlsx(name: str, _size: int) -> bytes:
    """The smallest workbook a spreadsheet opens: room, panels, price."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    docs = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/book.xml" ContentType="{kind}.sheet.main+xml"/>'
        f'<Override PartName="/sheet.xml" ContentType="{kind}.worksheet+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships">'
        f'<Relationship Id="r1" Type="{docs}/officeDocument" Target="book.xml"/></Relationships>',
        "book.xml": f'<workbook xmlns="{main}" xmlns:r="{docs}"><sheets>'
        '<sheet name="Rooms" sheetId="1" r:id="r1"/></sheets></workbook>',
        "_rels/book.xml.rels": f'<Relationships xmlns="{package}/relationships">'
        f'<Relationship Id="r1" Type="{docs}/worksheet" Target="sheet.xml"/></Relationships>',
        "sheet.xml": f'<worksheet xmlns="{main}"><sheetData>{_rows(name)}</sheetData></worksheet>',
    }
    return _zipped({part: ('<?xml version="1.0"?>' + text).encode() for part, text in parts.items()})


def _rows(name: str) -> str:
    rng = random.Random(name)
    rooms = [("Room", "Panels", "EUR")]
    for floor in range(1, 9):
        panels = rng.randrange(6, 60)
        rooms.append((f"Room {floor}.{rng.randrange(1, 30):02}", str(panels), str(panels * 118)))
    cell = '<c t="inlineStr"><is><t>{}</t></is></c>'.format
    return "".join("<row>" + "".join(map(cell, room)) + "</row>" for room in rooms)


def _dwg(name: str, size: int) -> bytes:
    return b"AC1032" + bytes(5) + b"\x03\x01\x00\x00" + _noise(name, size)


def _csv(_name: str, _size: int) -> bytes:
    return b"frequency_hz;t20_s\r\n125;1.4\r\n250;1.9\r\n500;2.8\r\n1000;2.6\r\n2000;2.1\r\n4000;1.6\r\n"


_MAKERS: dict[str, Callable[[str, int], bytes]] = {
    "pdf": _pdf,
    "png": _png,
    "zip": _zip,
    "xlsx": _xlsx,
    "dwg": _dwg,
    "csv": _csv,
}
