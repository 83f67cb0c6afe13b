"""Offers that were written to cost time: what the server does with their text grows as their length does."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.growth import check_growth

from reactor_runtime import AudioIn, VideoIn, VideoOut
from reactor_runtime.authoring.tracks import Track
from reactor_runtime.clients.negotiation import TrackMapping, read_offer
from reactor_runtime.errors import Refusal, RefusedError
from reactor_runtime.transports import sdp
from reactor_runtime.transports.candidates import CandidateGate
from reactor_runtime.transports.layout import arrange, untakeable
from reactor_runtime.transports.reactor_webrtc import sound
from reactor_runtime.transports.reactor_webrtc.translation import prepare_section, unsendable

SHARE = 0.45
"""What the larger input is of the most that an offer may have."""
HEAD = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n"
VIDEO = "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:0\r\na=recvonly\r\na=rtpmap:96 VP8/90000\r\n"
AUDIO = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=sendonly\r\na=rtpmap:111 opus/48000/2\r\n"
PAYLOADS = [str(number) for number in range(128)]
MANY = (
    f"m=video 9 UDP/TLS/RTP/SAVPF {' '.join(PAYLOADS)}\r\na=mid:0\r\na=sendonly\r\n"
    + "".join(f"a=rtpmap:{number} H264/90000\r\n" for number in PAYLOADS[:-1])
    + "a=rtpmap:127 VP8/90000\r\n"
)
ONE_OPUS = (
    f"m=audio 9 UDP/TLS/RTP/SAVPF {' '.join(['111'] * 128)}\r\na=mid:0\r\na=sendonly\r\n"
    "a=rtpmap:111 opus/48000/2\r\n"
)


def filled(start: str, line: str) -> Callable[[int], str]:
    """An offer of so many characters: a beginning, and one line again and again."""
    return lambda size: HEAD + start + line * ((size - len(HEAD) - len(start)) // len(line))


SHAPES: dict[str, Callable[[int], str]] = {
    "empty attributes": filled(AUDIO, "a=\r\n"),
    "empty lines": filled(AUDIO, "\r\n"),
    "fmtp": filled(MANY, "a=fmtp:0 x\r\n"),
    "fmtp of Opus": filled(ONE_OPUS, "a=fmtp:111 a=b\r\n"),
    "rtpmap": filled(MANY, "a=rtpmap:0 H264/9\r\n"),
    "rtpmap of Opus": filled(ONE_OPUS, "a=rtpmap:111 opus/48000/2\r\n"),
    "retransmissions": filled(MANY, "a=fmtp:5 apt=4\r\n"),
    "feedback": filled(MANY, "a=rtcp-fb:0 nack\r\n"),
    "candidates": filled(VIDEO, "a=candidate:1 1 udp 1 192.0.2.7 9 typ host\r\n"),
    "names": filled(VIDEO, "a=candidate:1 1 udp 1 a.example 9 typ host\r\n"),
    "directions": filled(VIDEO, "a=sendrecv \r\n"),
    "extensions": filled(VIDEO, "a=extmap:1 urn:x\r\n"),
    "mids": filled(VIDEO, "a=mid:0\r\n"),
    "ICE users": filled(VIDEO, "a=ice-ufrag:abcd\r\n"),
    "groups": lambda size: HEAD.replace("0\r\nm", "0") + "a=group:BUNDLE 0\r\n" * (size // 19) + VIDEO,
    "a long line": lambda size: HEAD + AUDIO + "a=fmtp:111 " + "x=y;" * (size // 4) + "\r\n",
    "a long word": lambda size: HEAD + VIDEO + "a=" + "x" * size + "\r\n",
    "long blanks": lambda size: HEAD + VIDEO + "a=sendrecv" + " " * size + "x\r\n",
    "a long origin": lambda size: HEAD.replace("o=- 1 1", "o=- " + "1" * size) + VIDEO,
    "a long bundle": lambda size: HEAD.replace("BUNDLE 0", "BUNDLE" + " 0" * (size // 2)) + VIDEO,
    "a long candidate": lambda size: HEAD + VIDEO + "a=candidate:" + "1 " * (size // 2) + "\r\n",
}


def tracks() -> dict[str, Track]:
    main, webcam, voice = VideoOut(), VideoIn(), AudioIn()
    main.name, webcam.name, voice.name = "main_video", "webcam", "mic"
    return {"main_video": main, "webcam": webcam, "mic": voice}


def mapping(text: str) -> list[TrackMapping]:
    if "m=audio" in text:
        return [TrackMapping("0", "mic", "audio", "sendonly")]
    if "recvonly" in text:
        return [TrackMapping("0", "main_video", "video", "recvonly")]
    return [TrackMapping("0", "webcam", "video", "sendonly")]


def handle(text: str) -> None:
    """All that is done with an offer's text before the engine has it, and with its answer."""
    offer = read_offer(text, mapping(text), tracks())
    sections = {section.mid: section for section in offer.sections}
    head, media = sdp.parse(offer.sdp)
    gate = CandidateGate(from_loopback=False)
    head = gate.filter(head)
    for part in media:
        part.lines[:] = gate.filter(part.lines)
        prepare_section(part, sections.get(part.mid), sender_turns=True)
    sound.prepare_offer(media, sections)
    layout = arrange(head, media, untakeable(media) | unsendable(media, sections))
    sdp.identity(layout.offer)
    sdp.ice_users(layout.offer)
    sdp.with_candidates(
        layout.restore(*sdp.parse_answer(layout.offer)), [("candidate:1 1 udp 1 192.0.2.7 9 typ host", "0")]
    )


@pytest.mark.parametrize("shape", SHAPES)
def test_twice_as_much_costs_twice_as_much(shape: str) -> None:
    size = int(sdp.SDP_LIMIT * SHARE)
    small, large = (SHAPES[shape](length) for length in (size // 2, size))
    # Of short times, what they have in common counts most: half a millisecond is nobody's trouble.
    check_growth(lambda: handle(small), lambda: handle(large), grain=0.0005)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (HEAD + VIDEO * (sdp.SECTIONS_LIMIT + 1), "too_many_sections"),
        (HEAD + VIDEO.replace(" 96\r", " 96" * (sdp.PAYLOADS_LIMIT + 1) + "\r"), "too_many_payload_types"),
        (HEAD + VIDEO + "a=" + "x" * sdp.SDP_LIMIT, "sdp_too_large"),
    ],
)
def test_what_is_too_much_is_refused_in_words(text: str, code: str) -> None:
    with pytest.raises(RefusedError) as refusal:
        sdp.parse(text)
    assert refusal.value.code == code
    assert refusal.value.kind in (Refusal.INVALID, Refusal.TOO_LARGE)


def test_an_answer_that_would_be_too_large_says_so() -> None:
    with pytest.raises(RefusedError) as refusal:
        sdp.parse_answer(HEAD + VIDEO + "a=" + "x" * sdp.ANSWER_LIMIT)
    assert (refusal.value.kind, refusal.value.code) == (Refusal.TOO_LARGE, "answer_too_large")
