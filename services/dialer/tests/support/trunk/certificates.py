"""Certificates for one test."""

import ssl
import subprocess
from pathlib import Path


def _openssl(*arguments: str) -> None:
    subprocess.run(("openssl", *arguments), check=True, capture_output=True, timeout=30)


def make_certificate(directory: Path, name: str) -> tuple[Path, Path]:
    """Return a self-signed certificate and its key."""
    certificate, key = directory / f"{name}.pem", directory / f"{name}.key"
    _openssl(
        *("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}"),
        *("-addext", f"subjectAltName={'IP' if name[0].isdigit() else 'DNS'}:{name}"),
        *("-keyout", str(key), "-out", str(certificate)),
    )
    return certificate, key


def server_context(certificate: Path, key: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


def certificate_for(name: str, directory: Path) -> tuple[Path, ssl.SSLContext]:
    """Return a certificate, and the server that has it."""
    certificate, key = make_certificate(directory, name)
    return certificate, server_context(certificate, key)
