from __future__ import annotations

import contextlib
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reactor_runtime import VideoIn, VideoOut
from reactor_runtime.authoring.tracks import Track
from reactor_runtime.clients.negotiation import TrackMapping, read_offer
from reactor_runtime.errors import Refusal, RefusedError
from reactor_runtime.transports.candidates import CandidateGate
from reactor_runtime.transports.layout import arrange, untakeable
from reactor_runtime.transports.sdp import (
    SDP_LIMIT,
    drop,
    join,
    keep_h264_profile,
    max_message_size,
    opus,
    parse,
    parse_answer,
    prefer,
    set_opus,
    with_candidates,
)

OFFERS = {path.stem: path.read_bytes().decode() for path in (Path(__file__).parent / "offers").glob("*.sdp")}
NAMES = sorted(OFFERS)
UDP = "candidate:1 1 udp 2113937151 192.0.2.7 50000 typ host"


def test_the_offers_are_there() -> None:
    assert NAMES == ["aiortc", "chromium-balanced", "chromium-max-bundle"]


# --- parse and join ---


@pytest.mark.parametrize("name", NAMES)
def test_parsing_and_joining_changes_nothing(name: str) -> None:
    assert join(*parse(OFFERS[name])) == OFFERS[name]


@pytest.mark.parametrize(
    ("name", "sections"),
    [
        ("chromium-balanced", [("video", "recvonly"), ("video", "sendonly"), ("application", "sendrecv")]),
        (
            "chromium-max-bundle",
            [
                ("video", "recvonly"),
                ("video", "sendonly"),
                ("audio", "recvonly"),
                ("application", "sendrecv"),
            ],
        ),
        ("aiortc", [("video", "recvonly"), ("application", "sendrecv")]),
    ],
)
def test_what_real_clients_offer(name: str, sections: list[tuple[str, str]]) -> None:
    head, media = parse(OFFERS[name])

    assert head[0] == "v=0"
    assert [(part.kind, part.direction) for part in media] == sections
    assert [part.mid for part in media] == [str(index) for index in range(len(media))]
    assert not any(part.rejected for part in media)
    video = media[0]
    assert {"VP8", "H264"} <= set(video.codecs.values())
    assert set(video.codecs) == set(video.payloads)


def test_both_kinds_of_line_ends_are_read() -> None:
    sdp = OFFERS["aiortc"]

    assert join(*parse(sdp.replace("\r\n", "\n"))) == sdp


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\r\n",
        "hello",
        "v=1\r\nm=video 9 RTP/AVP 96",
        "v=0\r\ns=-\r\n",
        "v=0\r\nm=\r\n",
        "v=0\r\nm=video\r\n",
        "v=0\r\nm=video 9\r\n",
        "v=0\r\nm=video 9 UDP\r\n",
        "v=0\r\nm=video nine UDP 96\r\n",
        "v=0\r\nm=video -9 UDP 96\r\n",
        " v=0\r\nm=video 9 UDP 96\r\n",
    ],
)
def test_what_is_no_offer(text: str) -> None:
    with pytest.raises(RefusedError) as caught:
        parse(text)

    assert (caught.value.kind, caught.value.code) == (Refusal.INVALID, "invalid_sdp")


def test_sdp_limit_counts_bytes() -> None:
    sdp = OFFERS["aiortc"]
    fits = sdp + "a=" + "x" * (SDP_LIMIT - len(sdp) - 2)
    assert parse(fits)

    for text in (fits + "x", sdp + "ü" * (SDP_LIMIT // 2)):
        with pytest.raises(RefusedError) as caught:
            parse(text)
        assert (caught.value.kind, caught.value.code) == (Refusal.TOO_LARGE, "sdp_too_large")


def test_a_section_without_a_mid_has_its_number() -> None:
    _, media = parse("v=0\r\nm=video 9 UDP 96\r\nm=audio 9 UDP 111\r\n")

    assert [part.mid for part in media] == ["0", "1"]


@pytest.mark.parametrize(
    ("line", "attributes", "rejected"),
    [
        ("m=video 9 UDP 96", "", False),
        ("m=video 0 UDP 96", "", True),
        # RFC 9143 section 6: its address comes with the bundle.
        ("m=video 0 UDP 96", "a=bundle-only\r\n", False),
    ],
)
def test_a_rejected_section(line: str, attributes: str, rejected: bool) -> None:
    _, media = parse(f"v=0\r\n{line}\r\n{attributes}")

    assert media[0].rejected is rejected


def test_a_bundle_only_data_channel_is_one() -> None:
    sdp = OFFERS["chromium-max-bundle"]
    head, media = parse(sdp)
    for part in media[1:]:
        words = part.lines[0].split(" ")
        part.lines[0] = " ".join([words[0], "0", *words[2:]])
        part.lines.append("a=bundle-only")

    assert read_offer(join(head, media), [], tracks()).has_channel


# --- codecs ---


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("names", [["VP8"], ["H264", "VP8"], ["AV1", "H264"], ["nothing"], []])
def test_prefer_orders_and_removes_nothing(name: str, names: list[str]) -> None:
    _, media = parse(OFFERS[name])
    video = media[0]
    before = list(video.payloads)
    prefer(video, names)

    assert sorted(video.payloads) == sorted(before)
    assert video.lines[0].split(" ")[3:] == video.payloads
    ranks = [
        names.index(video.codecs[payload]) if video.codecs[payload] in names else len(names)
        for payload in video.payloads
    ]
    assert ranks == sorted(ranks)
    others = [payload for payload in before if video.codecs[payload] not in names]
    assert [payload for payload in video.payloads if video.codecs[payload] not in names] == others


def test_drop_leaves_nothing_of_a_codec() -> None:
    section = (
        "m=video 9 UDP/TLS/RTP/SAVPF 96 97 98 99",
        "a=rtpmap:96 H264/90000",
        "a=rtcp-fb:96 nack",
        "a=fmtp:96 packetization-mode=1",
        "a=rtpmap:97 rtx/90000",
        "a=fmtp:97 apt=96",
        "a=rtpmap:98 VP8/90000",
        "a=rtpmap:99 rtx/90000",
        "a=fmtp:99 apt=98",
    )
    _, [video] = parse("\r\n".join(("v=0", *section)))
    drop(video, "H264")

    assert video.lines == ["m=video 9 UDP/TLS/RTP/SAVPF 98 99", *section[6:]]
    assert video.payloads == ["98", "99"]


@pytest.mark.parametrize("name", NAMES)
def test_drop_leaves_a_section_that_can_be_read(name: str) -> None:
    head, media = parse(OFFERS[name])
    drop(media[0], "H264")
    _, again = parse(join(head, media))

    assert again == media
    assert "H264" not in {again[0].codecs[payload] for payload in again[0].payloads}


def test_drop_keeps_the_only_codec() -> None:
    text = "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=rtpmap:96 H264/90000\r\n"
    head, media = parse(text)
    drop(media[0], "H264")

    assert join(head, media) == text


@pytest.mark.parametrize("name", NAMES)
def test_keep_h264_profile_puts_baseline_with_packetization_first(name: str) -> None:
    _, media = parse(OFFERS[name])
    video = media[0]
    before = list(video.payloads)
    keep_h264_profile(video)
    prefer(video, ["H264"])

    assert sorted(video.payloads) == sorted(before)
    fmtp = next(line for line in video.lines if line.startswith(f"a=fmtp:{video.payloads[0]} "))
    assert "packetization-mode=1" in fmtp
    assert "profile-level-id=42" in fmtp


def test_keep_h264_profile_leaves_the_places_of_the_others_alone() -> None:
    _, media = parse(OFFERS["chromium-balanced"])
    video = media[0]
    before = [video.codecs[payload] for payload in video.payloads]
    keep_h264_profile(video)

    assert [video.codecs[payload] for payload in video.payloads] == before


# --- candidates ---


@pytest.mark.parametrize("name", NAMES)
def test_every_section_tells_all_gathered_candidates(name: str) -> None:
    """aiortc takes those of a transport's last section."""
    other = UDP.replace("50000", "50001")
    _, media = parse(with_candidates(OFFERS[name], [(UDP, "1"), (other, None)]))

    for part in media:
        assert part.lines[-3:] == [f"a={UDP}", f"a={other}", "a=end-of-candidates"]


# --- message size ---


@pytest.mark.parametrize(
    ("line", "size"),
    [
        ("a=max-message-size:262144", 262144),
        ("a=max-message-size: 1000 ", 1000),
        ("a=max-message-size:0", 262144),
        ("a=max-message-size:-1", 65536),
        ("a=max-message-size:", 65536),
        ("a=max-message-size:lots", 65536),
        ("a=max-message-size:\u00b2", 65536),
        ("a=max-message-size:\u0663", 65536),
        ("a=max-message-size:" + "9" * 5000, 65536),
        ("a=x", 65536),
    ],
)
def test_max_message_size(line: str, size: int) -> None:
    _, media = parse(f"v=0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n{line}\r\n")

    assert max_message_size(media) == size


def test_max_message_size_of_real_clients() -> None:
    sizes = {name: max_message_size(parse(OFFERS[name])[1]) for name in NAMES}

    assert sizes == {"chromium-balanced": 262144, "chromium-max-bundle": 262144, "aiortc": 262144}


# --- whatever is sent ---


def tracks() -> dict[str, Track]:
    main, webcam = VideoOut(), VideoIn()
    main.name, webcam.name = "main_video", "webcam"
    return {"main_video": main, "webcam": webcam}


def use_everything(text: str, mapping: list[TrackMapping]) -> None:
    """What the server does with an offer before the engine sees it."""
    try:
        offer = read_offer(text, mapping, tracks())
        head, media = parse(offer.sdp)
    except RefusedError:
        return
    gate = CandidateGate(False)
    for part in media:
        assert isinstance(part.rejected, bool)
        part.lines[:] = gate.filter(part.lines)
        keep_h264_profile(part)
        prefer(part, ["H264", "VP8"])
        set_opus(part, opus(2))
        drop(part, "H264")
    with_candidates(join(head, media), [(UDP, "0"), (UDP, None)])
    with contextlib.suppress(RefusedError):
        layout = arrange(head, media, untakeable(media))
        layout.restore(*parse_answer(layout.offer))


@settings(max_examples=300)
@given(name=st.sampled_from(NAMES), seed=st.integers(0, 2**32), mapped=st.booleans())
def test_mutated_offers(name: str, seed: int, mapped: bool) -> None:
    rng = random.Random(seed)
    text = OFFERS[name]
    for _ in range(rng.randint(1, 6)):
        lines = text.split("\r\n")
        at = rng.randrange(len(lines))
        change = rng.randrange(7)
        if change == 0:
            del lines[at]
        elif change == 1:
            lines.insert(at, rng.choice(lines))
        elif change == 2:
            lines[at] = lines[at][: rng.randint(0, len(lines[at]))]
        elif change == 3:
            lines[at] = lines[at].replace(
                rng.choice("0123456789:/ =-"), rng.choice(["", " ", "\u0663", "9" * 50])
            )
        elif change == 4:
            lines[at] = (
                "".join(chr(rng.choice([0, 10, 13, 32, 127, 255, 0xD800])) for _ in range(5)) + lines[at]
            )
        elif change == 5:
            rng.shuffle(lines[1:])
        else:
            lines = lines[: at + 1]
        text = "\r\n".join(lines)
    mapping = [TrackMapping("0", "main_video", "video", "recvonly")] if mapped else []

    use_everything(text, mapping)


@given(st.text(max_size=300))
def test_random_text(text: str) -> None:
    use_everything(text, [])
    use_everything("v=0\r\nm=" + text, [])
    use_everything("v=0\r\nm=video 9 UDP 96\r\na=" + text, [])
