"""A worker that an engine has started: it ends with the engine, and says where it listens."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from dataclasses import dataclass

from reactor_runtime.project import environment

_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Lifeline:
    """What the engine gave by environment."""

    name: str
    parent: int
    port_fd: int

    def tie(self) -> None:
        """From now on the kernel ends this process with the thread that started it; elsewhere nobody does."""
        if not sys.platform.startswith("linux"):
            return
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != self.parent:
            # It had gone before we could ask for that.
            os._exit(1)

    def tell_port(self, port: int) -> None:
        """Once; the pipe is closed with it."""
        os.write(self.port_fd, f"{port}\n".encode())
        os.close(self.port_fd)


def found() -> Lifeline | None:
    """None for a `reactor run` that a person started. What it takes is not passed on to child processes."""
    name = environment.take(environment.WORKER)
    parent, fd = environment.take(environment.WORKER_PARENT), environment.take(environment.WORKER_FD)
    if not (name and parent.isdecimal() and fd.isdecimal()):
        return None
    os.set_inheritable(int(fd), False)
    return Lifeline(name, int(parent), int(fd))
