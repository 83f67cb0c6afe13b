"""What the processes of a failed test do at that moment, for whoever reads the failure.

A server that stands still or a page that does not come is rarely seen twice: the report has the stacks.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

PROC = Path("/proc")
STACKS_AT_MOST = 8
TEXT_AT_MOST = 1_500
BUSY_S = 0.5


def report() -> str:
    """Load, what each process below this one does and uses, and the stacks of those that are Python."""
    below = _below(os.getpid())
    before = {each: _used(each) for each in below}
    time.sleep(BUSY_S)
    lines = [f"load {(PROC / 'loadavg').read_text().strip()}", *_pressure()]
    for each in below:
        busy = (_used(each) - before[each]) / BUSY_S
        lines.append(f"{each} {_state(each)} {busy:4.0%} {_command(each)[:160]}")
    pythons = [each for each in below if "python" in os.path.basename(_program(each))]
    return "\n".join([*lines, *(_stacks(each) for each in pythons[:STACKS_AT_MOST])])


def pages(browser: Any) -> str:
    """What each page of a Playwright browser shows."""
    return "\n".join(_text(page) for context in browser.contexts for page in context.pages)


def _text(page: Any) -> str:
    try:
        phase = page.locator("html").get_attribute("data-phase", timeout=2_000)
        text = page.locator("body").inner_text(timeout=2_000)
    except Exception as error:  # it is told of, beside the failure itself
        return f"{page.url}: {error}"
    return f"{page.url} [{phase}]: {text[:TEXT_AT_MOST]}"


def _below(root: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for stat in PROC.glob("[0-9]*/stat"):
        if fields := _fields(stat):
            children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found = [root]
    for each in found:
        found += children.get(each, [])
    return found[1:]


def _fields(stat: Path) -> list[str]:
    """The fields after the name, which may have spaces: state, parent, …"""
    try:
        return stat.read_text().rpartition(")")[2].split()
    except OSError:  # it has gone
        return []


def _used(pid: int) -> float:
    fields = _fields(PROC / str(pid) / "stat")
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK") if fields else 0.0


def _state(pid: int) -> str:
    return (_fields(PROC / str(pid) / "stat") or "-")[0]


def _command(pid: int) -> str:
    try:
        return (PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return "gone"


def _program(pid: int) -> str:
    try:
        return os.readlink(PROC / str(pid) / "exe")
    except OSError:
        return ""


def _pressure() -> list[str]:
    files = [PROC / "pressure" / name for name in ("cpu", "io", "memory")]
    return [f"{file.name}: {file.read_text().splitlines()[0]}" for file in files if file.exists()]


def _stacks(pid: int) -> str:
    spy = shutil.which("py-spy", path=os.path.dirname(sys.executable))
    if spy is None:
        return "no stacks: py-spy is not installed (dev group)"
    command = [spy, "dump", "--native", "--pid", str(pid)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    return done.stdout + done.stderr
