"""From opening the page to its first picture, in each situation that has one:
``P=.venv-test/bin/python; $P tests/netns.py $P benchmarks/first_frame.py [NAME…]``.

The situations are those of `tests/wire/test_reach.py`, each a network of its own with a browser in it that
was started before. Both figures are the page's own: since it was navigated to, and since it began to connect.
What it prints is Markdown.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.append(str(REPOSITORY))
from tests.browser.pages import until  # noqa: E402 # from the line above on
from tests.wire import test_reach as reach  # noqa: E402
from tests.wire.server import running  # noqa: E402

ROUNDS = 3
BARS_MS = {"udp": 1000, "turn": 1000, "tcp": 2500}
"""Over TCP, UDP has to be given up first."""
UNLIKE = ("the_server_goes_and_comes_back", "the_model_is_loading", "udp_comes_late")
"""Their first picture is that of another row, or waits for something else than the network."""


def first_pictures(name: str, servers: reach.Servers) -> list[tuple[float, float]]:
    where, *_ = reach.SITUATIONS[name]
    found = []
    for _ in range(ROUNDS):
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            place = stack.enter_context(where(servers, folder))
            page = stack.enter_context(reach.opened(place))
            until(page, "window.pictureAt !== null")
            since, begun = page.evaluate("[window.pictureAt, window.begunAt]")
            found.append((since, since - begun))
        servers.local.stop_session()
        servers.wide.stop_session()
    return found


def main(wanted: list[str]) -> None:
    names = wanted or [name for name, (_, rung, _) in reach.SITUATIONS.items() if rung and name not in UNLIKE]
    options = ("--host", "0.0.0.0", "--no-token", "--allow-host", reach.NAME)
    print("| situation | wire | navigate → first picture, ms | connecting → first picture, ms | bar, ms |")
    print("| --- | --- | ---: | ---: | ---: |")
    with (
        running(reach.PROJECT, *reach.OPTIONS) as local,
        running(reach.PROJECT, *reach.OPTIONS, *options) as wide,
    ):
        for name in names:
            found = first_pictures(name, reach.Servers(local, wide))
            rung = reach.SITUATIONS[name][1]
            assert rung is not None
            medians = [statistics.median(column) for column in zip(*found, strict=True)]
            row = (name.replace("_", " "), rung, *(f"{each:.0f}" for each in medians), BARS_MS[rung])
            print("|", " | ".join(map(str, row)), "|", flush=True)
    print(f"\nMedians of {ROUNDS}. Load average {os.getloadavg()[0]:.1f}.")


if __name__ == "__main__":
    main(sys.argv[1:])
