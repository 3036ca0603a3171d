"""Make the secrets of a production trial that are not there yet; never touch those that are.

python scripts/first_start.py /secrets --name cds.example.org

Writes three folders, one for each reader, because a secret belongs to nobody else:
`service/` (cds_hash_key, cds_operator_key, cds_store_password), `database/` (password) and `proxy/` (tls.crt, tls.key). The certificate is
self-signed: replace it before anybody relies on it. Prints names, never values.
"""

import argparse
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

VALID_DAYS = 90
OWNER_ONLY = 0o400
# Database and proxy run as users of their own images; the folder is mounted into that one container only.
ITS_CONTAINER = 0o444


def keep_or_make(path: Path, mode: int, make: Callable[[], bytes]) -> bytes:
    """The file's content, made now if it is missing."""
    if path.exists():
        print(f"kept {path}")
        return path.read_bytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    content = make()
    # Complete or absent: a start that is cut short must not leave half a secret behind.
    part = path.with_suffix(path.suffix + ".part")
    part.unlink(missing_ok=True)
    part.touch(mode=0o600)
    part.write_bytes(content)
    part.chmod(mode)
    part.rename(path)
    print(f"made {path}")
    return content


def certificate(key_pem: bytes, name: str) -> bytes:
    """A self-signed certificate for a host name and for this machine."""
    key = serialization.load_pem_private_key(key_pem, password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise SystemExit(
            "tls.key is not a key of this script: bring the certificate that belongs to it, as tls.crt"
        )
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    names = [x509.DNSName(dns) for dns in sorted({name, "localhost"})]
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=VALID_DAYS))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    return built.public_bytes(serialization.Encoding.PEM)


def private_key() -> bytes:
    """A new P-256 key, as PEM."""
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="where the folders service, database and proxy are")
    parser.add_argument("--name", default="localhost", help="host name that clients call")
    options = parser.parse_args()
    service, database, proxy = (options.folder / name for name in ("service", "database", "proxy"))
    keep_or_make(service / "cds_hash_key", OWNER_ONLY, lambda: secrets.token_urlsafe(48).encode())
    keep_or_make(service / "cds_operator_key", OWNER_ONLY, lambda: secrets.token_urlsafe(32).encode())
    password = keep_or_make(database / "password", ITS_CONTAINER, lambda: secrets.token_urlsafe(32).encode())
    keep_or_make(service / "cds_store_password", OWNER_ONLY, lambda: password)
    key = keep_or_make(proxy / "tls.key", ITS_CONTAINER, private_key)
    keep_or_make(proxy / "tls.crt", ITS_CONTAINER, lambda: certificate(key, options.name))


if __name__ == "__main__":
    main()
