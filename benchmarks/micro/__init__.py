"""Costs of our own parts, each beside its yardstick in the same run. `benchmarks/run-micro` starts it."""
