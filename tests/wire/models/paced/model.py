"""A model whose pictures say which they are and when they were emitted, and which does what a test asks."""

import sys
import threading
import time
from collections import deque

import numpy as np

from reactor_runtime import VideoModel, VideoOut, command, get_ctx, model

BITS = 48
BLOCK = 16
CLOCK_BITS = 32


def picture(index: int) -> np.ndarray:
    """32 bits of the clock in ms, then 16 of the index, as black and white blocks."""
    code = (int(time.time() * 1000) % 2**CLOCK_BITS) | index << CLOCK_BITS
    bits = np.array([255 * (code >> bit & 1) for bit in range(BITS)], np.uint8)
    frame = np.full((64, BITS * BLOCK, 3), 90, np.uint8)
    frame[:32] = np.repeat(bits, BLOCK)[None, :, None]
    return frame


@model(name="paced")
class Paced(VideoModel):
    main_video = VideoOut()

    def reset(self):
        self.index = 0
        self.orders = deque()

    __init__ = reset

    @command("order")
    def give_order(self, what: str, value: float):
        self.orders.append((what, value))

    def start_session(self):
        ctx = get_ctx()
        while not ctx.should_stop():
            what, value = self.orders.popleft() if self.orders else ("run", 0.0)
            if what == "stall":
                time.sleep(value)
            elif what == "batch":
                self.emit(int(value))
                ctx.wait_stop(0.3)
            elif what == "end":
                for _ in range(int(value)):
                    self.emit(1)
                ctx.send({"type": "emitted", "count": self.index})
                return
            elif what == "interval":
                ctx.send({"type": "interval", "seconds": sys.getswitchinterval()})
            elif what == "jam":
                self.jam()
                return
            self.emit(1)
            ctx.wait_stop(1 / 30)

    def emit(self, count: int) -> None:
        get_ctx().emit_block(np.stack([picture(self.index + i) for i in range(count)]))
        self.index += count

    def jam(self) -> None:
        """Emit more than can be shown until the end, and tell how long the end took to be heard."""
        ctx, stopped = get_ctx(), []

        def watch() -> None:
            while not ctx.wait_stop(10):
                pass
            stopped.append(time.monotonic())

        watcher = threading.Thread(target=watch)
        watcher.start()
        while not ctx.should_stop():
            self.emit(120)
        returned = time.monotonic()
        watcher.join()
        ctx.send({"type": "released", "ms": 1000 * (returned - stopped[0])})
