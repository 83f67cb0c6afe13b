"""The generators of random numbers that all code shares: seeded for each session, so that none carries on."""

from __future__ import annotations

import random
import sys

SEED_LIMIT = 2**32
"""What numpy takes."""


def seed_generators(seed: int) -> None:
    """Seed `random`, `numpy.random`, and `torch` where the model has imported it. For the model thread."""
    import numpy as np  # here: the gateway, which has no model, asks for the limit alone

    random.seed(seed)
    np.random.seed(seed % SEED_LIMIT)
    manual_seed = getattr(sys.modules.get("torch"), "manual_seed", None)
    if manual_seed is not None:
        manual_seed(seed)
