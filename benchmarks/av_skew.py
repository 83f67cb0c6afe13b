"""How far sound and picture are apart for a person, over a minute: ``python benchmarks/av_skew.py``.

A model flashes and beeps in one step; headless Chromium notes when it shows each flash and plays each beep.
It needs what the wire tests need: the `dev` group, Chromium, and `python tests/netns.py` in front where
there is no network. On a busy machine it measures the machine: the browser's buffer for sound grows.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.wire.browser import find_chromium
from tests.wire.server import running
from tests.wire.skew import SETTLING_S, measure, undisturbed


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split(":")[0])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--limit", type=float, default=40.0, help="what p95 may be, in ms")
    options = parser.parse_args()
    chromium = find_chromium()
    if not chromium:
        print("No Chromium here: install Debian's chromium or set CHROMIUM= to a browser.", file=sys.stderr)
        return 2
    with undisturbed(), running("flash") as server:
        skew = measure(server, chromium, options.seconds)
    low, middle, high = np.percentile(skew.settled, [5, 50, 95])
    print(f"Beep after flash, over {options.seconds:g} s and {len(skew.settled)} flashes, in ms:")
    print(
        f"  p5 {low:.1f}   p50 {middle:.1f}   p95 {high:.1f}   |p95| {skew.p(95):.1f}   missed {skew.missed}"
    )
    print(f"  in the first {SETTLING_S:g} s: {', '.join(f'{late:.0f}' for late in skew.settling)}")
    return 0 if skew.p(95) <= options.limit and not skew.missed else 1


if __name__ == "__main__":
    sys.exit(main())
