"""`reactor serve` whose users have two seconds to claim, and not 45: as ``python -m tests.fleet.hurried``."""

from __future__ import annotations

import functools
from unittest import mock

from reactor_runtime.cli.main import main
from reactor_runtime.fleet import limits

CLAIM_S = 2.0

if __name__ == "__main__":
    hurried = functools.partial(limits.FleetLimits, claim=CLAIM_S)
    with mock.patch.object(limits, "FleetLimits", hurried):
        main()
