"""The page behind `jupyter-server-proxy` in a real Jupyter server: it works, and says why no media comes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.interop.notebooks import INSTALLED, PYTHON

from .browser import find_chromium
from .server import running
from .test_network import inside_only
from .test_proxies import free_port, page, process
from .test_reach import NO_MEDIA
from .test_tcp_media import carried_by, plays, port_of

pytestmark = [
    pytest.mark.wire,
    inside_only,
    pytest.mark.skipif(not INSTALLED.exists(), reason="Needs Jupyter: python tests/interop/install.py."),
    pytest.mark.skipif(find_chromium() is None, reason="Needs Debian's chromium or CHROMIUM=."),
]
SECRET = "between-us"
BASE = "/user/ada/"
"""As a JupyterHub gives one."""


@contextmanager
def jupyter(folder: Path) -> Iterator[str]:
    port = free_port()
    options = (
        f"--ServerApp.port={port}",
        f"--IdentityProvider.token={SECRET}",
        f"--ServerApp.base_url={BASE}",
    )
    where = ("--ip=127.0.0.1", "--no-browser", "--allow-root", f"--ServerApp.root_dir={folder}")
    environment = [f"JUPYTER_{name}_DIR={folder / name}" for name in ("CONFIG", "DATA", "RUNTIME")]
    path = f"PATH={PYTHON.parent}:{os.environ['PATH']}"
    command = ["env", path, *environment, str(PYTHON), "-m", "jupyter_server"]
    with process([*command, *options, *where], port):
        yield f"http://localhost:{port}{BASE}"


@pytest.mark.parametrize("media", [True, False], ids=["udp-past-it", "nothing-past-it"])
def test_the_page_works_in_jupyter(media: bool, tmp_path: Path) -> None:
    with running("echo") as server, jupyter(tmp_path) as hub:
        ours = f"{hub}proxy/{port_of(server)}/"
        with page(f"{hub}login?token={SECRET}", *(() if media else (NO_MEDIA,))) as opened:
            opened.goto(ours)
            if media:
                plays(opened)
                carried_by(opened, "udp")
                opened.locator("[data-command=weigh] input[type=file]").set_input_files(
                    {"name": "a.bin", "mimeType": "application/octet-stream", "buffer": b"abc"}
                )
                opened.locator("[data-command=weigh]").get_by_role("button", name="Send").click()
                opened.get_by_text('"size":3').first.wait_for()
            else:
                words = opened.locator(".veil").get_by_text(
                    "A proxy passes this page on, and it passes no media."
                )
                words.wait_for()
                assert f"ssh -L {port_of(server)}:localhost:{port_of(server)}" in words.inner_text()
                opened.locator("[data-command=set_shade]").wait_for()
            names = opened.evaluate("performance.getEntriesByType('resource').map((each) => each.name)")
            assert all(name.startswith(ours) for name in names), names
        server.stop_session()
