"""Names of attachments, made harmless (R25)."""

import re
import unicodedata

from rapport.mime.limits import FILENAME

_RESERVED = re.compile(r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(?:\..*)?", re.IGNORECASE)
_FORBIDDEN = re.compile(r'[<>:"|?*]')
_SPACES = re.compile(r"\s+")
_EXTENSIONS = {
    "text/plain": "txt",
    "text/html": "html",
    "text/calendar": "ics",
    "text/csv": "csv",
    "text/vcard": "vcf",
    "text/x-vcard": "vcf",
    "text/rtf": "rtf",
    "text/rfc822-headers": "txt",
    "message/rfc822": "eml",
    "message/global": "eml",
    "message/delivery-status": "txt",
    "message/disposition-notification": "txt",
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/gif": "gif",
    "image/webp": "webp",
    "image/svg+xml": "svg",
    "image/tiff": "tif",
    "application/pdf": "pdf",
    "application/zip": "zip",
    "application/ms-tnef": "dat",
    "application/pgp-signature": "asc",
    "application/pgp-encrypted": "txt",
    "application/pkcs7-mime": "p7m",
    "application/x-pkcs7-mime": "p7m",
    "application/pkcs7-signature": "p7s",
    "application/x-pkcs7-signature": "p7s",
    "application/ics": "ics",
}


def clean_name(name: str) -> str:
    """Make a name that can stand in a page, a header and a folder of any system; empty when nothing is left.

    Basename, NFC, no control, bidi or zero-width characters, no leading dot, dash or space, at most 200 octets.
    """
    name = unicodedata.normalize("NFC", name[:4000])
    name = name.replace("\\", "/").rstrip("/ ").rpartition("/")[2]
    name = "".join(c for c in name if c.isspace() or not unicodedata.category(c).startswith(("C", "Zl", "Zp")))
    name = _FORBIDDEN.sub("_", _SPACES.sub(" ", name)).lstrip(".- ~").rstrip(". ")
    name = _shorten(name)
    return "_" + name if _RESERVED.fullmatch(name) else name


def named(type_: str, position: int) -> str:
    """A name for an attachment that came without one."""
    return f"attachment-{position}.{_EXTENSIONS.get(type_, 'bin')}"


def _shorten(name: str) -> str:
    if len(name.encode()) <= FILENAME:
        return name
    stem, dot, extension = name.rpartition(".")
    tail = dot + extension if stem and len(extension) <= 10 else ""
    room = FILENAME - len(tail.encode())
    return (stem if tail else name).encode()[:room].decode(errors="ignore").rstrip(". ") + tail
