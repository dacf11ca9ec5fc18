"""The embedded stack's two authorities: one for its own zones, one for its sandbox companies.

Stack only. A zone's certificate names it by a URI (``harai://zone/web``) and nothing else counts;
the sandbox's companies have an authority of their own, which only sandbox rules trust. Keys are
written for one account alone. Production brings its own certificates; nothing here is for it.
"""

import os
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from portal.kit.clock import Clock
from portal.kit.crypto import ZONE_URI
from portal.stack.users import Account

ZONES: Final = ("vault", "web", "work", "egress", "operator")
SANDBOX_HOSTS: Final = (
    "sms.sandbox.test",
    "card.sandbox.test",
    "wallet.sandbox.test",
    "counter.sandbox.test",
    "bank.sandbox.test",
    "mail.sandbox.test",
    "sms2.sandbox.test",
    "tel.sandbox.test",
    "push.sandbox.test",
    "fcm.sandbox.test",
    "apns.sandbox.test",
)

_LIFE: Final = timedelta(days=365)
_RENEW: Final = timedelta(days=30)
_SKEW: Final = timedelta(minutes=5)


def zone_name(zone: str) -> x509.GeneralName:
    """The one name that a zone's certificate carries."""
    return x509.UniformResourceIdentifier(f"{ZONE_URI}{zone}")


class Authority:
    """A small certificate authority in ``folder``: ``NAME.key`` (0600) and ``NAME.pem``."""

    def __init__(self, folder: Path, name: str, clock: Clock) -> None:
        """Read it, or make it when it is not there yet or about to expire."""
        self._clock = clock
        self.certificate_file = folder / f"{name}.pem"
        key_file = folder / f"{name}.key"
        if key_file.exists() and self.certificate_file.exists():
            self._key = _read_key(key_file)
            self.certificate = x509.load_pem_x509_certificate(self.certificate_file.read_bytes())
            if self.certificate.not_valid_after_utc - _RENEW > clock.wall():
                return
        self._key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Harai {name}")])
        self.certificate = self._sign(
            _builder(subject, subject, self._key.public_key(), clock.wall())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
        )
        write_private(key_file, _pem(self._key), None)
        self.certificate_file.write_bytes(self.certificate.public_bytes(_PEM))

    def issue(self, names: Sequence[x509.GeneralName], folder: Path, account: Account) -> None:
        """Write ``cert.pem``, ``key.pem`` and ``ca.pem`` for ``names`` into the account's folder.

        What is there for the same names, good for another 30 days under this authority, stays.
        """
        certificate_file = folder / "cert.pem"
        if self._still_good(certificate_file, names) and (folder / "key.pem").exists():
            return
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, folder.name)])
        certificate = self._sign(
            _builder(subject, self.certificate.subject, key.public_key(), self._clock.wall())
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(
                x509.ExtendedKeyUsage(
                    [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
                ),
                critical=False,
            )
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
                critical=False,
            )
        )
        write_private(folder / "key.pem", _pem(key), account)
        write_private(certificate_file, certificate.public_bytes(_PEM), account)
        write_private(folder / "ca.pem", self.certificate.public_bytes(_PEM), account)

    def _still_good(self, certificate_file: Path, names: Sequence[x509.GeneralName]) -> bool:
        if not certificate_file.exists():
            return False
        certificate = x509.load_pem_x509_certificate(certificate_file.read_bytes())
        try:
            certificate.verify_directly_issued_by(self.certificate)
        except (ValueError, TypeError, x509.InvalidVersion):
            return False
        known = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return (
            list(known) == list(names)
            and certificate.not_valid_after_utc - _RENEW > self._clock.wall()
        )

    def _sign(self, builder: x509.CertificateBuilder) -> x509.Certificate:
        return builder.sign(self._key, hashes.SHA256())


_PEM: Final = serialization.Encoding.PEM


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SKEW)
        .not_valid_after(now + _LIFE)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def _read_key(path: Path) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        msg = f"not a key of this authority: {path}"
        raise TypeError(msg)
    return key


def write_private(path: Path, content: bytes, account: Account | None) -> None:
    """Write a file, whole or not at all, that only ``account`` (None: ourselves) can read."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        if account is not None and account.uid is not None:
            os.fchown(descriptor, account.uid, account.gid or 0)
        file.write(content)
    fresh.replace(path)
