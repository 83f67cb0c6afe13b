"""Downloads from addresses: ranges, faults, changes, redirects, manifests."""

from __future__ import annotations

import hashlib
import http.client
import io
import threading
import urllib.request
from dataclasses import replace
from pathlib import Path

import pytest
from tests.project.weights.conftest import IMPATIENT, Get, noise
from tests.project.weights.places import Site, serving
from tests.project.weights.silent import Silent

from reactor_runtime.errors import WeightsError
from reactor_runtime.project.weights import connection, fetch
from reactor_runtime.project.weights.manifest import Entry, Manifest, read_manifest
from reactor_runtime.project.weights.staging import BLOCK

BODY = noise(21 * BLOCK + 4321)
MANIFEST = b'{"format": "reactor-weights/1", "complete": true, "files": {"a": {"size": %b, "sha256": "0"}}}'
SMALL_RANGES = replace(IMPATIENT, range_blocks=1)


def test_the_pace_of_everybody_else() -> None:
    assert (fetch.USUAL.range_blocks, fetch.USUAL.first_pause, fetch.USUAL.longest_pause) == (8, 0.25, 15.0)


def test_one_file_arrives_whole_with_its_manifest(site: Site, get: Get, root: Path) -> None:
    site.files["/models/vae.safetensors"] = BODY
    outcome = get(f"{site.base}/models/vae.safetensors")
    assert outcome.fetched
    assert (root / "vae" / "vae.safetensors").read_bytes() == BODY
    manifest = read_manifest(root / "vae")
    assert manifest is not None
    assert manifest.files == {"vae.safetensors": Entry(len(BODY), hashlib.sha256(BODY).hexdigest())}
    assert manifest.revision == site.etag("/models/vae.safetensors").strip('"')
    assert not (root / "vae.partial").exists()
    assert len({asked for _, asked, _ in site.asked}) > 2, "in several ranges"


def test_what_is_there_does_not_come_again(site: Site, get: Get) -> None:
    site.files["/f"] = BODY
    get(f"{site.base}/f")
    sent = site.sent
    assert not get(f"{site.base}/f").fetched
    assert site.sent <= sent + 1


@pytest.mark.parametrize("size", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 8 * BLOCK, 8 * BLOCK + 1])
@pytest.mark.parametrize("ranges", [True, False])
def test_sizes_at_the_edges(site: Site, get: Get, root: Path, size: int, ranges: bool) -> None:
    site.files["/f.bin"], site.ranges = noise(size), ranges
    get(f"{site.base}/f.bin")
    assert (root / "vae" / "f.bin").read_bytes() == noise(size)


def test_a_connection_that_drops_again_and_again(site: Site, get: Get, root: Path) -> None:
    """More often than the retries, but each time something came."""
    site.files["/f"], site.drop_after = BODY, 300_000
    get(f"{site.base}/f")
    assert (root / "vae" / "f").read_bytes() == BODY
    assert site.sent < 1.2 * len(BODY), "each goes on where it broke off"


def test_a_server_that_gives_nothing_is_given_up_and_what_came_is_kept(
    site: Site, get: Get, root: Path
) -> None:
    site.files["/f"] = BODY
    site.refuse = lambda path: 503 if site.sent > 4 * BLOCK else 0
    with pytest.raises(WeightsError, match=r"f could not be fetched: .*503.*What has arrived is kept"):
        get(f"{site.base}/f", pace=SMALL_RANGES)
    assert not (root / "vae").exists()
    site.refuse, before = None, site.sent
    get(f"{site.base}/f")
    assert (root / "vae" / "f").read_bytes() == BODY
    assert site.sent - before < len(BODY) - BLOCK


def test_without_ranges_it_comes_in_one_piece(site: Site, get: Get, root: Path) -> None:
    site.files["/f"], site.ranges, site.drop_after, site.drops = BODY, False, 2_000_000, 3
    get(f"{site.base}/f")
    assert (root / "vae" / "f").read_bytes() == BODY


def test_a_chunked_body_of_unknown_size(site: Site, get: Get, root: Path) -> None:
    site.files["/f"], site.ranges, site.lengths = BODY, False, False
    site.drop_after, site.drops = 1_000_000, 2
    get(f"{site.base}/f")
    assert (root / "vae" / "f").read_bytes() == BODY


def test_a_new_version_replaces_the_old_one(site: Site, get: Get, root: Path) -> None:
    site.files["/f"] = BODY
    get(f"{site.base}/f")
    site.files["/f"] = noise(len(BODY), 2)
    assert get(f"{site.base}/f").fetched
    assert (root / "vae" / "f").read_bytes() == noise(len(BODY), 2)
    assert sorted(path.name for path in root.iterdir()) == [".vae.lock", "vae"]


class Changing(Silent):
    """Puts another file on the server while the first comes."""

    def __init__(self, site: Site, body: bytes, etag: str | None = None) -> None:
        self.site, self.body, self.etag = site, body, etag
        self.came = 0
        self.said: list[str] = []
        self.lock = threading.Lock()

    def advance(self, path: str, size: int) -> None:
        with self.lock:
            self.came += size
            if self.came > 5 * BLOCK and self.site.files["/f"] != self.body:
                self.site.files["/f"] = self.body
                if self.etag is not None:
                    self.site.etags["/f"] = self.etag

    def say(self, sentence: str) -> None:
        self.said.append(sentence)


@pytest.mark.parametrize("etag", [None, 'W/"two"'])
@pytest.mark.parametrize("size", [len(BODY), len(BODY) - 5])
def test_a_change_in_the_middle_is_never_mixed(
    site: Site, get: Get, root: Path, etag: str | None, size: int
) -> None:
    site.files["/f"], new = BODY, noise(size, 2)
    if etag is not None:
        site.etags["/f"] = 'W/"one"'
    site.delay_s = 0.001
    changing = Changing(site, new, etag)
    get(f"{site.base}/f", progress=changing)
    assert (root / "vae" / "f").read_bytes() == new
    assert any("has changed" in sentence for sentence in changing.said)


def test_a_change_between_two_runs_is_never_mixed(site: Site, get: Get, root: Path) -> None:
    site.files["/f"] = BODY
    site.refuse = lambda path: 503 if site.sent > 9 * BLOCK else 0
    with pytest.raises(WeightsError):
        get(f"{site.base}/f", pace=SMALL_RANGES)
    site.refuse = None
    site.files["/f"] = noise(len(BODY), 3)
    get(f"{site.base}/f")
    assert (root / "vae" / "f").read_bytes() == noise(len(BODY), 3)


def test_nothing_is_added_to_where_nobody_says_the_version(site: Site, get: Get, root: Path) -> None:
    """Without ETag and date, equal sizes say nothing."""
    site.files["/f"], site.etags["/f"] = BODY, ""
    site.drop_after = 10 * BLOCK
    with pytest.raises(WeightsError):
        get(f"{site.base}/f")
    site.drop_after = None
    site.files["/f"] = noise(len(BODY), 3)
    get(f"{site.base}/f")
    assert (root / "vae" / "f").read_bytes() == noise(len(BODY), 3)


def test_a_manifest_brings_its_folder(site: Site, get: Get, root: Path) -> None:
    put_manifest(site, {"a.bin": noise(10), "deep/b.bin": BODY})
    get(f"{site.base}/w/reactor-manifest.json")
    assert (root / "vae" / "deep" / "b.bin").read_bytes() == BODY
    assert (root / "vae" / "a.bin").read_bytes() == noise(10)


def test_a_file_that_is_not_what_the_manifest_says(site: Site, get: Get, root: Path) -> None:
    put_manifest(site, {"a.bin": noise(10)})
    site.files["/w/a.bin"] = noise(10, 5)
    with pytest.raises(WeightsError, match=r"a\.bin arrived with another checksum"):
        get(f"{site.base}/w/reactor-manifest.json")
    assert not (root / "vae").exists()


@pytest.mark.parametrize(
    "path",
    ["../out", "/etc/x", "a/../../x", "C:\\x", "a\\b", "a\0b", "x.partial", "a//b", "."],
)
def test_a_manifest_cannot_leave_the_folder(
    site: Site, get: Get, tmp_path: Path, root: Path, path: str
) -> None:
    manifest = Manifest("x", "1", {path: Entry(1, "0" * 64)})
    site.files["/reactor-manifest.json"] = manifest.text().encode()
    with pytest.raises(WeightsError, match=r"holds a file named"):
        get(f"{site.base}/reactor-manifest.json")
    assert not (root / "vae").exists()


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff",
        b'{"format": "reactor-weights/1"}',
        b"[" * 100_000,
        *(MANIFEST % size for size in (b"-1", b"true", b'"3"', b"1e3")),
    ],
)
def test_a_broken_manifest_is_a_sentence(site: Site, get: Get, text: bytes) -> None:
    site.files["/reactor-manifest.json"] = text
    with pytest.raises(WeightsError, match=r"reactor-manifest\.json"):
        get(f"{site.base}/reactor-manifest.json")


@pytest.mark.parametrize(
    ("status", "said"),
    [(403, "let nobody in"), (404, "is not there"), (500, "answered 500")],
)
def test_refusals_name_the_place_and_no_secret(site: Site, get: Get, status: int, said: str) -> None:
    site.refuse = lambda path: status
    with pytest.raises(WeightsError, match=said) as caught:
        get(site.base.replace("//", "//me:opensesame@") + "/f?X-Amz-Signature=geheim123")
    assert "127.0.0.1" in caught.value.message
    assert "opensesame" not in caught.value.message
    assert "geheim123" not in caught.value.message


def test_a_password_opens_and_is_kept_nowhere(site: Site, get: Get, root: Path) -> None:
    site.files["/f"] = BODY
    get(site.base.replace("//", "//me:opensesame@") + "/f?sig=geheim123&version=3")
    assert all(authorization.startswith("Basic ") for _, _, authorization in site.asked)
    kept = (root / "vae" / ".reactor-manifest.json").read_text()
    assert "opensesame" not in kept
    assert "geheim123" not in kept
    assert "version=3" in kept


def test_a_password_does_not_follow_to_another_server(site: Site, get: Get, root: Path) -> None:
    with serving(Site({"/g": BODY})) as other:
        site.redirects["/f"] = f"{other.base}/g"
        get(site.base.replace("//", "//me:opensesame@") + "/f")
        assert {authorization for _, _, authorization in other.asked} == {""}
    assert (root / "vae" / "f").read_bytes() == BODY


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/x"])
def test_a_redirect_elsewhere_is_refused(site: Site, get: Get, target: str) -> None:
    site.redirects["/f"] = target
    with pytest.raises(WeightsError):
        get(f"{site.base}/f")


def test_nobody_there(get: Get) -> None:
    with pytest.raises(WeightsError, match=r"http://127\.0\.0\.1:9/f cannot be reached"):
        get("http://127.0.0.1:9/f")


def test_offline_takes_what_is_there_and_asks_nobody(
    site: Site, get: Get, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.files["/f"] = BODY
    with pytest.raises(WeightsError, match=r"vae is not whole on this machine.*reactor download vae"):
        get(f"{site.base}/f", offline=True)
    get(f"{site.base}/f")
    before = len(site.asked)
    assert not get(f"{site.base}/f", offline=True).fetched
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert not get(f"{site.base}/f").fetched
    assert len(site.asked) == before


def test_repair_fetches_only_what_is_damaged(site: Site, get: Get, root: Path) -> None:
    put_manifest(site, {"a.bin": noise(3 * BLOCK), "b.bin": noise(3 * BLOCK, 2)})
    source = f"{site.base}/w/reactor-manifest.json"
    get(source)
    damaged = bytearray(noise(3 * BLOCK))
    damaged[BLOCK] ^= 1
    (root / "vae" / "a.bin").write_bytes(damaged)
    assert not get(source).fetched, "the quick look sees sizes only"
    before = len(site.asked)
    assert get(source, repair=True).fetched
    assert (root / "vae" / "a.bin").read_bytes() == noise(3 * BLOCK)
    assert "/w/b.bin" not in {path for path, asked, _ in site.asked[before:] if asked != "bytes=0-0"}


def test_a_folder_that_somebody_else_made_is_left_alone(site: Site, get: Get, root: Path) -> None:
    site.files["/f"] = BODY
    (root / "vae").mkdir(parents=True)
    (root / "vae" / "mine").write_text("mine")
    with pytest.raises(WeightsError, match=r"was not made by `reactor download`"):
        get(f"{site.base}/f")
    assert (root / "vae" / "mine").read_text() == "mine"


def put_manifest(site: Site, files: dict[str, bytes]) -> None:
    entries = {path: Entry(len(body), hashlib.sha256(body).hexdigest()) for path, body in files.items()}
    site.files["/w/reactor-manifest.json"] = Manifest("w", "", entries).text().encode()
    site.files.update({f"/w/{path}": body for path, body in files.items()})


def test_a_redirect_away_from_tls_is_refused() -> None:
    request = urllib.request.Request("https://h/f?sig=geheim123")
    headers = http.client.HTTPMessage()
    with pytest.raises(WeightsError, match=r"sends us to http://h/g, which is not safe") as caught:
        connection._Redirects().redirect_request(request, io.BytesIO(), 302, "", headers, "http://h/g")
    assert "geheim123" not in caught.value.message
