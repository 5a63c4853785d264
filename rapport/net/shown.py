"""The certificate that a server showed, read into plain values for a person to judge."""

import hashlib
from dataclasses import dataclass

from cryptography import x509
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Shown:
    """A certificate, as much of it as could be read."""

    sha256: str
    names: tuple[str, ...] = ()
    issuer: str = ""
    not_before: str = ""
    not_after: str = ""
    self_signed: bool = False


def read(der: bytes) -> Shown:
    """What a DER certificate says. The fingerprint is always there; a broken certificate has nothing else."""
    sha256 = hashlib.sha256(der).hexdigest()
    try:
        certificate = x509.load_der_x509_certificate(der)
        return Shown(
            sha256,
            names=_names(certificate),
            issuer=_printable(certificate.issuer.rfc4514_string()),
            not_before=certificate.not_valid_before_utc.isoformat(),
            not_after=certificate.not_valid_after_utc.isoformat(),
            self_signed=certificate.issuer == certificate.subject,
        )
    except (ValueError, TypeError, x509.InvalidVersion, x509.UnsupportedGeneralNameType):
        return Shown(sha256)


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    """Host names and addresses it is for, else its common name; at most 20."""
    try:
        alternatives = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        names = [*alternatives.get_values_for_type(x509.DNSName)]
        names += [str(address) for address in alternatives.get_values_for_type(x509.IPAddress)]
    except x509.ExtensionNotFound:
        names = [str(found.value) for found in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    return tuple(_printable(name) for name in names[:20])


def _printable(text: str) -> str:
    """A stranger wrote it: no control characters, at most 200."""
    return "".join(character for character in text if character.isprintable())[:200]
