"""What of an offer an engine sees, and how its answer gets back into the offer's order."""

from __future__ import annotations

import pytest

from reactor_runtime.errors import Refusal, RefusedError
from reactor_runtime.transports import sdp
from reactor_runtime.transports.layout import Layout, arrange, untakeable
from reactor_runtime.transports.port import IceCandidate

UDP = "candidate:1 1 udp 1 192.0.2.7 9 typ host"


def section(mid: str, kind: str = "video", port: int = 9, user: str = "u", more: str = "") -> str:
    named = f"a=mid:{mid}\r\n" if mid else ""
    media = "UDP/DTLS/SCTP webrtc-datachannel" if kind == "application" else "UDP/TLS/RTP/SAVPF 96"
    return f"m={kind} {port} {media}\r\nc=IN IP4 0.0.0.0\r\n{named}a=ice-ufrag:{user}\r\n{more}"


def offer(*sections: str, group: str = "", more: str = "") -> str:
    bundle = f"a=group:BUNDLE {group}\r\n" if group else ""
    return f"v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n{more}{bundle}{''.join(sections)}"


def arranged(text: str, *refused: str, before: Layout | None = None) -> Layout:
    head, media = sdp.parse(text)
    return arrange(head, media, untakeable(media) | set(refused), before)


def seen(layout: Layout) -> list[str]:
    return [part.mid for part in sdp.parse(layout.offer)[1]]


def restored(layout: Layout) -> str:
    """The answer to an offer that the engine answers with itself."""
    return layout.restore(*sdp.parse_answer(layout.offer))


def ports(text: str) -> list[str]:
    return [part.lines[0].split(" ")[1] for part in sdp.parse(text)[1]]


def test_an_ordinary_offer_is_given_as_it_is() -> None:
    layout = arranged(offer(section("0"), section("1"), section("2", "application"), group="0 1 2"))

    assert seen(layout) == ["0", "1", "2"]
    assert layout.bundled
    assert ports(restored(layout)) == ["9", "9", "9"]


def test_what_nobody_takes_keeps_its_place() -> None:
    text = offer(
        *(section("a", port=0), section("b"), section("c", "text"), section("d")),
        *(section("e", "application"), section("f", "application")),
        group="b d e f",
    )
    layout = arranged(text, "b")

    assert seen(layout) == ["d", "e"]
    assert layout.group == ("d", "e")
    answer = restored(layout)
    assert ports(answer) == ["0", "0", "0", "9", "9", "0"]
    assert [part.mid for part in sdp.parse(answer)[1]] == ["a", "b", "c", "d", "e", "f"]
    assert "a=group:BUNDLE d e\r\n" in answer


def test_the_first_of_the_bundle_leaves_its_transport_behind() -> None:
    first = section("0", more=f"a=setup:actpass\r\na={UDP}\r\n")
    second = "m=video 0 UDP/TLS/RTP/SAVPF 96\r\na=mid:1\r\na=bundle-only\r\n"
    layout = arranged(offer(first, second, group="0 1"), "0")

    [part] = sdp.parse(layout.offer)[1]
    assert {"a=ice-ufrag:u", "a=setup:actpass", f"a={UDP}"} <= set(part.lines)
    placed = layout.place(IceCandidate(UDP, "0", 0))
    assert placed == IceCandidate(UDP, "1", 0)


def test_libwebrtc_keeps_the_first_of_its_bundle() -> None:
    text = offer(section("0"), section("1"), group="0 1", more="a=extmap-allow-mixed\r\n")
    answer = restored(arranged(text, "0"))

    assert ports(answer) == ["9", "9"]
    assert "a=inactive" in sdp.parse(answer)[1][0].lines
    assert "a=group:BUNDLE 0 1\r\n" in answer


def test_without_a_bundle_each_section_is_for_itself() -> None:
    layout = arranged(offer(section("0"), section("1", user="w")))

    assert not layout.bundled
    assert layout.place(IceCandidate(UDP, None, 1)) == IceCandidate(UDP, "1", 1)
    assert layout.place(IceCandidate(UDP, "5", None)) is None
    with_own = sdp.with_candidates(restored(layout), [(UDP, "1")])
    assert [f"a={UDP}" in part.lines for part in sdp.parse(with_own)[1]] == [False, True]


def test_a_section_without_a_mid_gets_one_for_the_engine_alone() -> None:
    layout = arranged(offer(section("")))

    assert "a=mid:0" in layout.offer
    assert "a=mid" not in restored(layout)


def test_a_further_offer_goes_on_where_the_first_was() -> None:
    first = arranged(offer(section("0"), section("1"), group="0 1"), "0")
    text = offer(section("0"), section("1", port=0), section("2"), group="0 2")
    later = arranged(text, before=first)

    # What the engine saw stays where it saw it, rejected or not; what is new comes after it.
    assert seen(later) == ["1", "0", "2"]
    assert ports(restored(later)) == ["9", "0", "9"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (offer(section("0"), section("0")), "invalid_sdp"),
        (offer(section("0", "text")), "no_usable_section"),
        (offer(section("0", port=0)), "no_usable_section"),
    ],
)
def test_what_cannot_be_arranged(text: str, code: str) -> None:
    with pytest.raises(RefusedError) as refusal:
        arranged(text)
    assert (refusal.value.kind, refusal.value.code) == (Refusal.INVALID, code)


def test_sections_never_vanish() -> None:
    before = arranged(offer(section("0"), section("1"), group="0 1"))
    with pytest.raises(RefusedError):
        arranged(offer(section("0"), group="0"), before=before)
