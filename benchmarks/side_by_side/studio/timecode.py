"""A clock, a counter and a tag drawn into a picture, readable after any compression.

Two rows of 40 black or white blocks along the top edge: 32 bits of CLOCK_MONOTONIC in tenths of a
millisecond, 24 bits of frame counter, 8 bits of tag, 16 bits of checksum. CLOCK_MONOTONIC is one clock for
all processes of a machine. `receiver.js` reads the same layout.
"""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray

COLUMNS, ROWS = 40, 2
BLOCK_HEIGHT = 16
CODE_HEIGHT = ROWS * BLOCK_HEIGHT
TICKS_PER_S = 10_000
CLOCK_BITS, COUNTER_BITS, TAG_BITS, SUM_BITS = 32, 24, 8, 16


def checksum(payload: bytes) -> int:
    """Fletcher-16."""
    low = high = 0
    for byte in payload:
        low = (low + byte) % 255
        high = (high + low) % 255
    return high << 8 | low


def encode(ticks: int, counter: int, tag: int) -> int:
    """The 80 bits as one number, the first block the highest bit."""
    clock = ticks % (1 << CLOCK_BITS)
    value = (clock << COUNTER_BITS | counter % (1 << COUNTER_BITS)) << TAG_BITS | tag % (1 << TAG_BITS)
    return value << SUM_BITS | checksum(value.to_bytes(8, "big"))


def stamp(picture: NDArray[np.uint8], counter: int, tag: int) -> None:
    """Draw the present moment into ``(H, W, 3)`` uint8 RGB."""
    bits = encode(int(time.monotonic() * TICKS_PER_S), counter, tag)
    unpacked = np.unpackbits(np.frombuffer(bits.to_bytes(10, "big"), np.uint8)).reshape(ROWS, COLUMNS)
    width = picture.shape[1] // COLUMNS
    blocks = np.repeat(np.repeat(unpacked * np.uint8(255), BLOCK_HEIGHT, axis=0), width, axis=1)
    picture[:CODE_HEIGHT, : width * COLUMNS] = blocks[..., np.newaxis]


def read(luma: NDArray[np.uint8]) -> tuple[int, int, int] | None:
    """Ticks, counter and tag of a picture's luma ``(H, W)``, or None when the checksum does not fit."""
    width = luma.shape[1] // COLUMNS
    blocks = luma[:CODE_HEIGHT, : width * COLUMNS].reshape(ROWS, BLOCK_HEIGHT, COLUMNS, width)
    bits = blocks[:, 4:-4, :, width // 4 : -(width // 4)].mean(axis=(1, 3)) > 127
    value = int.from_bytes(np.packbits(bits.reshape(-1)).tobytes(), "big")
    value, found = value >> SUM_BITS, value & 0xFFFF
    if checksum(value.to_bytes(8, "big")) != found:
        return None
    return value >> 32, value >> TAG_BITS & 0xFFFFFF, value & 0xFF
