"""Real proxies in front of a real server: nginx with TLS and a path, Caddy, and openssh's own tunnel."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.certificate import make
from tests.chromium import launched

from .browser import find_chromium
from .server import MODELS, Server, running
from .test_network import inside_only
from .test_tcp_media import KEEP_PEERS, PAIR, WAIT_MS, carried_by, plays, port_of

CHROMIUM = find_chromium()
NGINX, SSHD, CADDY = (shutil.which(name, path="/usr/sbin:/usr/bin") for name in ("nginx", "sshd", "caddy"))
pytestmark = [pytest.mark.wire, inside_only]
TOKEN = "one-two-three-four-five"
NAME = "gpu.example"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def process(command: list[str], port: int) -> Iterator[None]:
    """A program that listens on `port` as soon as it can."""
    started = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + 15
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert started.stdout is not None
            assert started.poll() is None, started.stdout.read().decode()
            assert time.monotonic() < deadline, f"{command[0]} does not listen"
            time.sleep(0.05)
        yield
    finally:
        started.terminate()
        started.wait(10)
        assert started.stdout is not None
        started.stdout.close()


@contextmanager
def nginx(
    folder: Path, upstream: int, *lines: str, path: str = "/model/", strip: bool = True
) -> Iterator[str]:
    """TLS and a path, as `docs/operations.md` has it, with more `lines`."""
    assert NGINX is not None
    certificate, key = make(folder, NAME)
    port = free_port()
    more = "\n".join(lines)
    (folder / "nginx.conf").write_text(
        f"""daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log; user root;
events {{}}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{
    listen 127.0.0.1:{port} ssl; server_name {NAME};
    ssl_certificate {certificate}; ssl_certificate_key {key};
    location {path} {{
      proxy_pass http://127.0.0.1:{upstream}{"/" if strip else ""};
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_buffering off;
      client_max_body_size 100m;
      {more}
    }}
  }}
}}
"""
    )
    with process([NGINX, "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")], port):
        yield f"https://{NAME}:{port}{path}"


@contextmanager
def page(url: str, *flags: str) -> Iterator[Any]:
    assert CHROMIUM is not None
    rules = f"--host-resolver-rules=MAP {NAME} 127.0.0.1"
    with launched(CHROMIUM, rules, *flags) as browser:
        page = browser.new_context(ignore_https_errors=True).new_page()
        page.set_default_timeout(WAIT_MS)
        page.add_init_script(KEEP_PEERS)
        page.goto(url)
        yield page


@contextmanager
def tokened(*options: str) -> Iterator[Server]:
    server = Server(MODELS / "echo", "--token", TOKEN, *options)
    try:
        yield server
    finally:
        server.stop()


PREFIX_LINE = "proxy_set_header X-Forwarded-Prefix /model;"


@pytest.mark.skipif(NGINX is None or CHROMIUM is None, reason="Needs nginx and Chromium.")
@pytest.mark.parametrize(
    ("lines", "strip", "options"),
    [
        ((PREFIX_LINE,), True, ()),
        ((), True, ()),
        ((), False, ("--root-path", "/model")),
    ],
    ids=["told", "untold", "root-path"],
)
def test_the_page_plays_behind_nginx_with_tls_below_a_path(
    tmp_path: Path, lines: tuple[str, ...], strip: bool, options: tuple[str, ...]
) -> None:
    """Media goes past the proxy here, over UDP; the token, the cookie and a file go through it."""
    with (
        tokened("--allow-host", NAME, "--no-tcp-media", *options) as server,
        nginx(tmp_path, port_of(server), *lines, strip=strip) as url,
        page(f"{url}t/{TOKEN}/") as opened,
    ):
        plays(opened)
        assert opened.url == url, "the token left the address"
        [cookie] = opened.context.cookies()
        assert cookie["secure"]
        assert cookie["path"] == ("/" if lines == () and strip else "/model/")
        names = opened.evaluate("performance.getEntriesByType('resource').map((each) => each.name)")
        assert all(name.startswith(url) for name in names), names
        carried_by(opened, "udp")
        opened.locator("[data-command=weigh] input[type=file]").set_input_files(
            {"name": "a.bin", "mimeType": "application/octet-stream", "buffer": b"abc"}
        )
        opened.locator("[data-command=weigh]").get_by_role("button", name="Send").click()
        opened.get_by_text('"size":3').first.wait_for()


@pytest.mark.skipif(NGINX is None, reason="Needs nginx.")
def test_a_name_that_is_not_allowed_is_told_its_flag(tmp_path: Path) -> None:
    with running("echo") as server, nginx(tmp_path, port_of(server)) as url:
        local = url.replace(NAME, "localhost")
        for name in (NAME, "ada-8080.proxy.runpod.net", "0123.ngrok-free.app", "hub.example"):
            headers = {"host": name, "accept": "text/html"}
            refused = httpx.get(local, verify=False, headers=headers)
            assert refused.status_code == 421
            assert f"reactor run --allow-host {name}" in refused.text


@pytest.mark.skipif(CADDY is None or CHROMIUM is None, reason="Needs Caddy and Chromium.")
def test_the_page_plays_behind_caddy(tmp_path: Path) -> None:
    assert CADDY is not None
    port = free_port()
    with running("echo", "--allow-host", NAME, "--no-tcp-media") as server:
        (tmp_path / "Caddyfile").write_text(
            f"""{{
    admin off
    auto_https off
}}
http://{NAME}:{port} {{
    handle_path /model/* {{
        reverse_proxy 127.0.0.1:{port_of(server)} {{
            header_up X-Forwarded-Prefix /model
        }}
    }}
}}
"""
        )
        command = [CADDY, "run", "--config", str(tmp_path / "Caddyfile"), "--adapter", "caddyfile"]
        with process(command, port), page(f"http://{NAME}:{port}/model/") as opened:
            plays(opened)


@pytest.mark.skipif(SSHD is None or CHROMIUM is None, reason="Needs openssh and Chromium.")
def test_openssh_s_own_tunnel(tmp_path: Path) -> None:
    assert SSHD is not None
    Path("/run/sshd").mkdir(exist_ok=True)
    for name in ("host", "user"):
        key = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / name)]
        subprocess.run(key, check=True)
    (tmp_path / "authorized").write_text((tmp_path / "user.pub").read_text())
    port, near = free_port(), free_port()
    daemon = [SSHD, "-D", "-e", "-f", "/dev/null", "-p", str(port), "-h", str(tmp_path / "host")]
    daemon += ["-o", f"AuthorizedKeysFile={tmp_path / 'authorized'}", "-o", "StrictModes=no"]
    daemon += ["-o", "ListenAddress=127.0.0.1", "-o", "UsePAM=no", "-o", "PidFile=none"]
    with running("echo", "--wire", "tcp") as server, process(daemon, port):
        client = ["ssh", "-N", "-p", str(port), "-i", str(tmp_path / "user"), "-F", "/dev/null"]
        client += ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"]
        client += ["-L", f"{near}:localhost:{port_of(server)}", "127.0.0.1"]
        with process(client, near), page(f"http://localhost:{near}/") as opened:
            plays(opened)
            pair = opened.evaluate(PAIR)
            assert (pair["protocol"], pair["port"]) == ("tcp", near)


def test_https_of_our_own_with_media_on_its_port(tmp_path: Path) -> None:
    certificate, key = make(tmp_path)
    options = ("--tls-cert", str(certificate), "--tls-key", str(key), "--wire", "tcp")
    server = Server(MODELS / "echo", *options)
    try:
        assert server.url.startswith("https://127.0.0.1:")
        with page(server.url) as opened:
            plays(opened)
            pair = opened.evaluate(PAIR)
            assert (pair["protocol"], pair["port"]) == ("tcp", port_of(server))
    finally:
        server.stop()
