"""What is written down of a verdict: a certificate as JSON, and JUnit for continuous integration."""

from __future__ import annotations

import platform
import sys
import time
from importlib import metadata
from typing import Any
from xml.etree import ElementTree as Xml

from reactor_runtime._version import __version__

from .play import ROUNDS, STEPS
from .users import MARKS
from .verdict import Verdict

RESULTS = ("clean", "leaks", "unknown")
NOTED = ("numpy", "torch", "diffusers", "transformers")
"""Packages whose versions a certificate names, where they are installed."""


def certificate(verdict: Verdict, strict: bool, seed: int) -> dict[str, Any]:
    return {
        "certificate": "reactor leak test",
        "version": 1,
        "result": RESULTS[verdict.status],
        "reason": verdict.reason,
        "model": verdict.model,
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "seconds": verdict.seconds,
        "versions": _versions(),
        "tried": {
            "users": MARKS,
            "steps": STEPS,
            "commands_before_steps": ROUNDS,
            "seed": seed,
            "strict": strict,
            "orders": verdict.tried,
        },
        "leaks": [{**leak.to_json(), "sentence": leak.sentence} for leak in verdict.leaks],
        "notes": verdict.notes,
    }


def _versions() -> dict[str, str]:
    found = {"reactor-runtime": __version__, "python": platform.python_version(), "platform": sys.platform}
    for name in NOTED:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def junit(verdict: Verdict) -> bytes:
    """One case for the whole, with a failure for each leak; skipped where nobody can tell."""
    failures, skipped = len(verdict.leaks), int(verdict.status == 2)
    suite = Xml.Element(
        "testsuite",
        name="reactor test --leaks",
        tests=str(max(1, failures)),
        failures=str(failures),
        skipped=str(skipped),
        errors="0",
        time=str(verdict.seconds),
    )
    for leak in verdict.leaks:
        case = Xml.SubElement(suite, "testcase", classname=verdict.model, name=f"leak: {leak.path}", time="0")
        Xml.SubElement(case, "failure", message=_printable(leak.sentence)).text = _printable(leak.line)
    if not verdict.leaks:
        case = Xml.SubElement(
            suite, "testcase", classname=verdict.model, name="two users in a row", time=str(verdict.seconds)
        )
        if skipped:
            Xml.SubElement(case, "skipped", message=_printable(verdict.reason))
    root = Xml.Element("testsuites")
    root.append(suite)
    return bytes(Xml.tostring(root, "utf-8", xml_declaration=True))


def _printable(text: str) -> str:
    """XML has no place for most control characters."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
