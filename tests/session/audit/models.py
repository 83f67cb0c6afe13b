"""Models as authors write them: twenty that leak, each with its path, and their clean twins.

Each is the whole text of a `model.py`. All are driven by `set_prompt` and make three frames.
"""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import dedent, indent

HEAD = """\
import asyncio
import collections
import contextvars
import functools
import logging
import os
import tempfile
import threading
import numpy as np
from reactor_runtime import VideoModel, command, get_ctx, model
{imports}
{before}

@model(name="audited"{arguments})
class Audited(VideoModel):
{fields}
    def __init__(self, config):
{init}

    @command("set_prompt")
    {async_}def set_prompt(self, prompt: str):
{on_command}

    def start_session(self):
        ctx = get_ctx()
        for index in range(3):
{step}
            ctx.get_track().emit(np.full((16, 16, 3), index, np.uint8))
            ctx.wait_stop(0.001)
        while not ctx.wait_stop(0.5):
            pass

    def reset(self):
{reset}
"""


def text(
    *,
    init: str = "pass",
    on_command: str = "pass",
    step: str = "pass",
    reset: str = "pass",
    before: str = "",
    fields: str = "",
    imports: str = "",
    arguments: str = "",
    async_: bool = False,
) -> str:
    return HEAD.format(
        init=_body(init, 8),
        on_command=_body(on_command, 8),
        step=_body(step, 12),
        reset=_body(reset, 8),
        before=dedent(before),
        fields=_body(fields, 4) if fields else "",
        imports=imports,
        arguments=arguments,
        async_="async " if async_ else "",
    )


def _body(code: str, spaces: int) -> str:
    return indent(dedent(code).strip("\n"), " " * spaces)


@dataclass(frozen=True)
class Pair:
    """`leaky` is told at `path`, with the author's line `where` if one is given; `clean` is not told."""

    leaky: str
    path: str
    clean: str
    where: str = ""
    """A piece of the line that the report must name."""


PAIRS: dict[str, Pair] = {
    "attribute": Pair(
        text(init="self._prompt = 'a calm forest'", on_command="self._prompt = prompt"),
        "self._prompt",
        text(
            init="self._prompt = 'a calm forest'",
            on_command="self._prompt = prompt",
            reset="self._prompt = 'a calm forest'",
        ),
        "self._prompt = prompt",
    ),
    "list": Pair(
        text(init="self._history = []", on_command="self._history.append(prompt)"),
        "self._history",
        text(
            init="self._history = []",
            on_command="self._history.append(prompt)",
            reset="self._history.clear()",
        ),
        "self._history.append(prompt)",
    ),
    "nested object": Pair(
        text(
            before="""
            class Scheduler:
                def __init__(self):
                    self._step = 0

            class Pipeline:
                def __init__(self):
                    self.scheduler = Scheduler()
            """,
            init="self.pipeline = Pipeline()",
            step="self.pipeline.scheduler._step += 1",
        ),
        "self.pipeline.scheduler._step",
        text(
            before="""
            class Scheduler:
                def __init__(self):
                    self._step = 0

            class Pipeline:
                def __init__(self):
                    self.scheduler = Scheduler()
            """,
            init="self.pipeline = Pipeline()",
            step="self.pipeline.scheduler._step += 1",
            reset="self.pipeline.scheduler = Scheduler()",
        ),
        "self.pipeline.scheduler._step += 1",
    ),
    "class attribute": Pair(
        text(fields="mood = 'calm'", on_command="Audited.mood = prompt"),
        "Audited.mood",
        text(
            fields="mood = 'calm'", on_command="self.mood = prompt", reset="self.__dict__.pop('mood', None)"
        ),
        "Audited.mood = prompt",
    ),
    "module global": Pair(
        text(before="PROMPTS = {}", on_command="PROMPTS['last'] = prompt"),
        "model.PROMPTS['last']",
        text(
            before="PROMPTS = {'a': 1}",
            on_command="PROMPTS['last'] = prompt",
            reset="PROMPTS.pop('last', None)",
        ),
        "PROMPTS['last'] = prompt",
    ),
    "closure": Pair(
        text(
            before="""
            def counter():
                count = 0
                def add():
                    nonlocal count
                    count += 1
                    return count
                return add
            """,
            init="self._add = counter()",
            step="self._add()",
        ),
        "self._add.count",
        text(
            before="""
            def counter():
                count = 0
                def add():
                    nonlocal count
                    count += 1
                    return count
                return add
            """,
            init="self._add = counter()",
            step="self._add()",
            reset="self._add = counter()",
        ),
        "count += 1",
    ),
    "default argument": Pair(
        text(
            before="""
            def remember(prompt, seen=[]):
                seen.append(prompt)
                return seen
            """,
            on_command="remember(prompt)",
        ),
        "model.remember(seen=)",
        text(
            before="""
            def remember(prompt, seen=None):
                seen = [] if seen is None else seen
                seen.append(prompt)
                return seen
            """,
            on_command="remember(prompt)",
        ),
    ),
    "array in place": Pair(
        text(init="self._latent = np.zeros((4, 32, 32), np.float32)", step="self._latent += 0.5"),
        "self._latent",
        text(
            init="self._latent = np.zeros((4, 32, 32), np.float32)",
            step="self._latent += 0.5",
            reset="self._latent[:] = 0",
        ),
        "self._latent += 0.5",
    ),
    "tensor in place": Pair(
        text(
            imports="import torch",
            init="self._latent = torch.zeros(4, 8, 8)",
            step="self._latent[0, 0] = 7",
        ),
        "self._latent",
        text(
            imports="import torch",
            init="self._latent = torch.zeros(4, 8, 8)",
            step="self._latent.add_(1)",
            reset="self._latent.zero_()",
        ),
        "self._latent[0, 0] = 7",
    ),
    "torch buffer": Pair(
        text(
            imports="import torch",
            init="self.net = torch.nn.BatchNorm1d(4)",
            step="self.net(torch.randn(8, 4))",
        ),
        "self.net._buffers['running_mean']",
        text(
            imports="import torch",
            init="self.net = torch.nn.BatchNorm1d(4).eval()",
            step="self.net(torch.randn(8, 4))",
        ),
    ),
    "generator object": Pair(
        text(init="self._rng = np.random.default_rng(1)", step="self._rng.standard_normal(3)"),
        "self._rng",
        text(
            init="self._rng = np.random.default_rng(1)",
            step="self._rng.standard_normal(3); np.random.rand(3)",
            reset="self._rng = np.random.default_rng(1)",
        ),
        "self._rng.standard_normal(3)",
    ),
    "hook": Pair(
        text(
            imports="import torch",
            init="self.net = torch.nn.Linear(2, 2)",
            on_command="self.net.register_forward_hook(lambda *_: None)",
        ),
        "self.net._forward_hooks",
        text(
            imports="import torch",
            init="self.net = torch.nn.Linear(2, 2)",
            on_command="self.net.register_forward_hook(lambda *_: None).remove()",
        ),
        "register_forward_hook",
    ),
    "thread": Pair(
        text(
            before="""
            def work(event):
                event.wait(30)
            """,
            on_command="threading.Thread(None, work, 'mine', [threading.Event()], daemon=True).start()",
        ),
        "thread 'mine'",
        text(
            before="""
            def work(event):
                event.wait(30)
            """,
            init="self._workers = []",
            on_command="""
            event = threading.Event()
            thread = threading.Thread(target=work, args=(event,), daemon=True)
            thread.start()
            self._workers.append((event, thread))
            """,
            reset="""
            for event, thread in self._workers:
                event.set()
                thread.join()
            self._workers.clear()
            """,
        ),
        "def work(event)",
    ),
    "open file": Pair(
        text(
            before="HELD = {}",
            on_command="fd = os.open(__file__, os.O_RDONLY)",
        ),
        "open file ",
        text(on_command="open(__file__).close()"),
    ),
    "asyncio task": Pair(
        text(
            before="""
            async def forever():
                await asyncio.sleep(1000)
            """,
            fields="tasks = set()",
            on_command="self.tasks.add(asyncio.get_running_loop().create_task(forever()))",
            async_=True,
        ),
        "Audited.tasks",
        text(
            before="""
            async def forever():
                await asyncio.sleep(1000)
            """,
            on_command="""
            task = asyncio.get_running_loop().create_task(forever())
            await asyncio.sleep(0)
            task.cancel()
            """,
            async_=True,
        ),
        "self.tasks.add",
    ),
    "cached conditioning": Pair(
        text(
            init="self._cond = np.zeros(8)",
            on_command="self._cond = np.frombuffer(prompt.encode().ljust(8)[:8], np.uint8) / 255",
        ),
        "self._cond",
        text(
            init="self._empty = None",
            on_command="cond = np.frombuffer(prompt.encode().ljust(8)[:8], np.uint8) / 255",
            step="""
            if self._empty is None:
                self._empty = np.ones(8)
            """,
        ),
        "self._cond = np.frombuffer",
    ),
    "python generator": Pair(
        text(
            before="""
            def numbers():
                for number in range(100):
                    yield number
            """,
            init="self._numbers = numbers()",
            step="next(self._numbers)",
        ),
        "self._numbers",
        text(
            before="""
            def numbers():
                for number in range(100):
                    yield number
            """,
            init="self._numbers = numbers()",
            step="next(self._numbers)",
            reset="self._numbers = numbers()",
        ),
        "next(self._numbers)",
    ),
    "lru_cache": Pair(
        text(
            before="""
            @functools.lru_cache(maxsize=8)
            def encode(prompt):
                return len(prompt)
            """,
            on_command="encode(prompt)",
        ),
        "model.encode.cache",
        text(
            before="""
            @functools.lru_cache(maxsize=8)
            def table(size):
                return list(range(size))
            """,
            on_command="table(16)",
        ),
    ),
    "lru_cache of a library's function": Pair(
        text(
            imports="import textwrap",
            before="CLEAN = functools.lru_cache(textwrap.dedent)",
            on_command="CLEAN(prompt)",
        ),
        "model.CLEAN.cache",
        text(
            imports="from urllib.parse import urlsplit",
            on_command="urlsplit(prompt)",
        ),
    ),
    "context variable": Pair(
        text(
            before="PROMPT = contextvars.ContextVar('prompt')",
            on_command="PROMPT.set(prompt)",
        ),
        "model.PROMPT",
        text(
            before="PROMPT = contextvars.ContextVar('prompt')",
            on_command="""
            token = PROMPT.set(prompt)
            PROMPT.reset(token)
            """,
        ),
        "PROMPT.set(prompt)",
    ),
    "subclass of dict": Pair(
        text(
            before="""
            class State(dict):
                pass
            """,
            init="self._state = State(prompt='calm')",
            on_command="self._state['prompt'] = prompt",
        ),
        "self._state['prompt']",
        text(
            before="""
            class State(dict):
                pass
            """,
            init="self._state = State(prompt='calm')",
            on_command="self._state['prompt'] = prompt",
            reset="self._state = State(prompt='calm')",
        ),
        "self._state['prompt'] = prompt",
    ),
    "slots": Pair(
        text(
            before="""
            class Point:
                __slots__ = ("x", "y")
                def __init__(self):
                    self.x = 0
            """,
            init="self._at = Point()",
            step="self._at.x += 1; self._at.y = 2",
        ),
        "self._at.x",
        text(
            before="""
            class Point:
                __slots__ = ("x", "y")
                def __init__(self):
                    self.x = 0
            """,
            init="self._at = Point()",
            step="self._at.x += 1",
            reset="self._at.x = 0",
        ),
        "self._at.x += 1",
    ),
    "hidden field": Pair(
        text(
            before="""
            class Dial:
                def __init__(self):
                    self.__value = 1.0
                @property
                def value(self):
                    return self.__value
                @value.setter
                def value(self, value):
                    self.__value = value
            """,
            init="self.dial = Dial()",
            on_command="self.dial.value = 2.0",
        ),
        "self.dial._Dial__value",
        text(
            before="""
            class Dial:
                def __init__(self):
                    self.__value = 1.0
                @property
                def value(self):
                    raise RuntimeError("do not look")
            """,
            init="self.dial = Dial()",
        ),
    ),
}

CLEAN: dict[str, str] = {
    "counters that are declared": text(
        init="self._frames = 0; self._cache = {}",
        step="self._frames += 1; self._cache[self._frames] = 1",
        arguments=', keep=["_frames", "_cache"]',
    ),
    "a cached property": text(
        fields="""
        @functools.cached_property
        def table(self):
            return np.arange(100)
        """,
        step="self.table.sum()",
    ),
    "loggers": text(
        before="log = logging.getLogger('author')",
        init="self._log = logging.getLogger('author.model')",
        step="log.debug('step %d', index); self._log.isEnabledFor(10)",
    ),
    "a pool of threads": text(
        imports="from concurrent.futures import ThreadPoolExecutor",
        init="self._pool = ThreadPoolExecutor(2)",
        step="self._pool.submit(int, '1').result()",
    ),
    "a lazily built network": text(
        imports="import torch",
        init="self.vae = None",
        step="""
        if self.vae is None:
            self.vae = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.ReLU())
        self.vae(torch.zeros(1, 4))
        """,
    ),
    "a cache that is filled once": text(
        init="self._tables = {}",
        step="self._tables.setdefault(16, np.arange(16))",
    ),
    "an object of its session": text(
        step="""
        self.run = {'step': 1}
        """,
        reset="del self.run",
    ),
}
