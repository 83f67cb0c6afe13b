"""A certificate for `localhost`, made with openssl."""

from __future__ import annotations

import subprocess
from pathlib import Path


def make(folder: Path, *names: str) -> tuple[Path, Path]:
    """The files of a certificate that nobody vouches for, and of its key."""
    certificate, key = folder / "cert.pem", folder / "key.pem"
    alternatives = ",".join((*(f"DNS:{name}" for name in names), "DNS:localhost", "IP:127.0.0.1"))
    subject = ["-subj", "/CN=localhost", "-addext", f"subjectAltName={alternatives}"]
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    command = ["openssl", "req", "-x509", *kind, *files, *subject]
    subprocess.run(command, check=True, capture_output=True)
    return certificate, key
