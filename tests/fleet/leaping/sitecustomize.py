"""In a process that finds this on its path, the date is as many seconds off as a file says."""

import os
import time
from pathlib import Path

_file = Path(os.environ["LEAPS"])
_real = time.time


def _leapt() -> float:
    return _real() + float(_file.read_text() or 0)


time.time = _leapt
