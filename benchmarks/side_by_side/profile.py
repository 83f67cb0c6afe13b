"""Where our server's processor time goes, thread by thread: ``benchmarks/profile --viewers 4``.

A server of this checkout, Chromium as its viewers, the times of its threads from /proc, and py-spy's samples
beside them as a file of collapsed stacks.
"""

from __future__ import annotations

import argparse
import dataclasses
import re
import subprocess
import time
from collections import Counter
from pathlib import Path

from .__main__ import RESULTS
from .browser import chromium, files, receiver
from .environments import ROOT
from .scenario import SETTLE_S, take
from .servers import CONTENDERS, TICKS, running

PORT = 18_090
TOP = 25


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks/profile", description=__doc__)
    parser.add_argument("--viewers", type=int, default=1)
    parser.add_argument("--size", default="832x480")
    parser.add_argument("--codec", default=None, help="VP8, for example; the server's choice without it")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--native", action="store_true", help="native frames too; slows the server down")
    parser.add_argument("--src", type=Path, help="a src/ folder to measure in place of this checkout's")
    return parser.parse_args()


def threads(pid: int) -> dict[int, tuple[str, float]]:
    """Name and seconds of processor time of each thread."""
    found = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            head, _, rest = (task / "stat").read_text().rpartition(")")
        except OSError:
            continue
        fields = rest.split()
        found[int(task.name)] = (head.partition("(")[2], (int(fields[11]) + int(fields[12])) / TICKS)
    return found


def python_names(pid: int) -> dict[int, str]:
    """What Python calls its threads."""
    dump = subprocess.run(
        [str(ROOT / "harness/bin/py-spy"), "dump", "--nonblocking", "--pid", str(pid)],
        capture_output=True,
        text=True,
        check=False,
    )
    return {int(tid): name for tid, name in re.findall(r'Thread (\d+) \([^)]*\): "(.*)"', dump.stdout)}


def record(pid: int, seconds: float, native: bool, path: Path) -> subprocess.Popen[bytes]:
    command = [str(ROOT / "harness/bin/py-spy"), "record", "--pid", str(pid), "--threads", "--rate", "200"]
    command += ["--format", "raw", "--output", str(path), "--duration", str(int(seconds))]
    command += ["--native"] if native else ["--nonblocking"]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def main() -> None:
    arguments = parse()
    contender = dataclasses.replace(CONTENDERS[0], codec=arguments.codec)
    if arguments.src:
        studio = CONTENDERS[0].environ
        contender = dataclasses.replace(contender, environ=(*studio, ("PYTHONPATH", _path(arguments.src))))
    width, height = (int(side) for side in arguments.size.split("x"))
    options = {"signalling": contender.signalling, "codec": contender.codec, "height": height}
    RESULTS.mkdir(exist_ok=True)
    with (
        files() as origin,
        chromium() as browser,
        running(contender, PORT, (width, height), RESULTS / "profile.log") as server,
        receiver(browser, origin) as page,
    ):
        for _ in range(arguments.viewers):
            page.call("join", {**options, "base": server.base})
        page.watch(SETTLE_S)
        pid = server.process.pid
        take(page)
        before, began = threads(pid), time.monotonic()
        page.watch(arguments.seconds)
        after, lasted = threads(pid), time.monotonic() - began
        frames = take(page)
        fps = frames.distinct / lasted
        print(f"{arguments.viewers} viewer(s), {arguments.size}: {fps:.1f} fps at the first")
        _print_threads(before, after, python_names(pid), lasted)
        stacks = RESULTS / f"profile-{arguments.viewers}.txt"
        spy = record(pid, arguments.seconds, arguments.native, stacks)
        page.watch(arguments.seconds + 2)
        spy.wait(30)
    _print_stacks(stacks)


def _path(src: Path) -> str:
    from .servers import STUDIO

    return f"{src.resolve()}:{STUDIO}"


def _print_threads(
    before: dict[int, tuple[str, float]],
    after: dict[int, tuple[str, float]],
    names: dict[int, str],
    lasted: float,
) -> None:
    used: Counter[str] = Counter()
    for tid, (name, seconds) in after.items():
        used[names.get(tid, f"native {name}")] += seconds - before.get(tid, ("", 0.0))[1]
    print(f"{sum(used.values()) / lasted * 100:6.1f} % of a core in all")
    for name, seconds in used.most_common():
        if seconds / lasted >= 0.001:
            print(f"{seconds / lasted * 100:6.1f} %  {name}")


def _print_stacks(path: Path) -> None:
    """The innermost frames that were busy most often, and our own lines that called them."""
    inner: Counter[str] = Counter()
    ours: Counter[str] = Counter()
    for line in path.read_text().splitlines():
        stack, _, count = line.rpartition(" ")
        frames = stack.split(";")
        inner[frames[-1]] += int(count)
        mine = next((frame for frame in reversed(frames) if "reactor_runtime" in frame), None)
        if mine:
            ours[mine] += int(count)
    total = sum(inner.values()) or 1
    for title, counter in (("innermost", inner), ("innermost line of ours", ours)):
        print(f"\nShare of busy samples, {title} ({path})")
        for frame, count in counter.most_common(TOP):
            print(f"{count / total * 100:6.1f} %  {frame}")


if __name__ == "__main__":
    main()
