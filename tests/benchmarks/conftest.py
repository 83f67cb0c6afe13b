"""The benchmarks are programs beside the package, not in it: their folders join the path here."""

from __future__ import annotations

import sys
from pathlib import Path

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
for folder in (BENCHMARKS, BENCHMARKS / "side_by_side" / "studio"):
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
