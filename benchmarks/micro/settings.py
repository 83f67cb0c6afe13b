"""Sizes and times of the micro benchmarks."""

SIZE = (832, 480)
VIEWERS = 4
ROUNDS = 3
MEASURE_S = 4.0
PORT = 18_080
