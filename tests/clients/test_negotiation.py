"""From an offer to the sections that tracks use: every generation of clients, every refusal by its code."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactor_runtime import AudioIn, AudioOut, VideoIn, VideoModel, VideoOut, model
from reactor_runtime.authoring.description import describe
from reactor_runtime.authoring.media import TrackDirection
from reactor_runtime.clients.negotiation import CODECS, Offer, TrackMapping, read_offer
from reactor_runtime.errors import Refusal, RefusedError
from reactor_runtime.media.encoders import VideoCodec
from reactor_runtime.transports.port import Section


@model(name="studio")
class Studio(VideoModel):
    main_video = VideoOut()
    sound = AudioOut(channels=2)
    webcam = VideoIn()
    mic = AudioIn()


TRACKS = describe(Studio).tracks
MAPPING = [
    TrackMapping("0", "main_video", "video", "recvonly"),
    TrackMapping("1", "sound", "audio", "recvonly"),
    TrackMapping("2", "webcam", "video", "sendonly"),
    TrackMapping("3", "mic", "audio", "sendonly"),
]
ALL = [("video", "recvonly"), ("audio", "recvonly"), ("video", "sendonly"), ("audio", "sendonly")]


def offer(*media: tuple[str, ...], channel: bool = True, size: str = "") -> str:
    """An SDP with these sections: kind, direction and, where it is not the index, the mid; `-kind` is a
    rejected one."""
    lines = ["v=0", "o=- 1 2 IN IP4 127.0.0.1", "s=-", "t=0 0"]
    for index, (kind, direction, *mid) in enumerate(media):
        port = "0" if kind.startswith("-") else "9"
        lines += [
            f"m={kind.lstrip('-')} {port} UDP/TLS/RTP/SAVPF 96",
            f"a=mid:{mid[0] if mid else index}",
            f"a={direction}",
        ]
    if channel:
        lines += ["m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "a=mid:data"]
        lines += [f"a=max-message-size:{size}"] if size else []
    return "\r\n".join(lines) + "\r\n"


def found(read: Offer) -> dict[str, str]:
    return {section.mid: section.track for section in read.sections}


def refused(text: str, mapping: list[TrackMapping]) -> str:
    with pytest.raises(RefusedError) as error:
        read_offer(text, mapping, TRACKS)
    assert error.value.kind is Refusal.INVALID
    return error.value.code


def test_a_mapping_is_followed_to_the_letter() -> None:
    read = read_offer(offer(*ALL), MAPPING, TRACKS)
    assert read.sections == (
        Section("0", "main_video", "video", True, CODECS),
        Section("1", "sound", "audio", True, channels=2),
        Section("2", "webcam", "video", False),
        Section("3", "mic", "audio", False, channels=TRACKS["mic"].channels),
    )
    assert read.inputs() == ["webcam", "mic"]
    assert read.has_channel
    assert read.message_limit == 65536
    assert (read.from_page, read.from_loopback, read.sender_turns, read.may_control) == (
        False, False, True, True,
    )  # fmt: skip


def test_what_is_said_of_the_client_goes_where_it_belongs() -> None:
    read = read_offer(
        offer(*ALL, size="1000"),
        MAPPING,
        TRACKS,
        [VideoCodec.H264],
        from_page=True,
        from_loopback=True,
        sender_turns=False,
    )
    assert read.sections[0].codecs == (VideoCodec.H264,)
    assert read.message_limit == 1000
    assert (read.from_page, read.from_loopback, read.sender_turns) == (True, True, False)
    read = read_offer(offer(*ALL), MAPPING, TRACKS, from_page=True)
    assert (read.from_page, read.from_loopback) == (True, False)


def test_an_entry_may_say_sendrecv() -> None:
    entries = [TrackMapping(e.mid, e.name, e.kind, "sendrecv") for e in MAPPING]
    assert found(read_offer(offer(*ALL), entries, TRACKS)) == found(read_offer(offer(*ALL), MAPPING, TRACKS))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"name": "nobody"}, "unknown_track"),
        ({"mid": "99"}, "unknown_mid"),
        ({"mid": "data"}, "unknown_mid"),
        ({"kind": "audio"}, "wrong_kind"),
        ({"mid": "1"}, "wrong_kind"),
        ({"name": "mic"}, "wrong_kind"),
        ({"direction": "sendonly"}, "wrong_direction"),
        ({"direction": "inactive"}, "wrong_direction"),
        ({"name": "webcam"}, "wrong_direction"),
    ],
)
def test_an_entry_that_does_not_fit_is_refused_by_name(change: dict[str, str], code: str) -> None:
    entry = {"mid": "0", "name": "main_video", "kind": "video", "direction": "recvonly", **change}
    assert refused(offer(*ALL), [TrackMapping(**entry)]) == code


@pytest.mark.parametrize(
    "entries",
    [
        [MAPPING[0], MAPPING[0]],
        [MAPPING[0], TrackMapping("2", "main_video", "video", "recvonly")],
        [TrackMapping("0", "webcam", "video", "sendonly"), MAPPING[0]],
    ],
)
def test_no_section_and_no_track_twice(entries: list[TrackMapping]) -> None:
    assert refused(offer(*ALL), entries) == "duplicate_mapping"


def test_a_rejected_section_carries_nothing_whatever_the_mapping_says() -> None:
    text = offer(("-video", "recvonly"), *ALL[1:])
    assert found(read_offer(text, MAPPING, TRACKS)) == {"1": "sound", "2": "webcam", "3": "mic"}
    assert found(read_offer(text, [], TRACKS)) == {"1": "sound", "2": "webcam", "3": "mic"}


def test_without_a_channel_the_offer_has_none() -> None:
    assert not read_offer(offer(*ALL, channel=False), MAPPING, TRACKS).has_channel
    ended = offer(*ALL).replace("m=application 9", "m=application 0")
    assert not read_offer(ended, MAPPING, TRACKS).has_channel


def test_a_client_may_take_no_track_at_all() -> None:
    read = read_offer(offer(), [], TRACKS)
    assert read.sections == ()
    assert read.has_channel


# --- without a mapping ---


def test_sections_that_are_called_as_tracks_are_those() -> None:
    text = offer(
        ("video", "sendonly", "webcam"), ("video", "recvonly", "main_video"), ("audio", "recvonly", "7")
    )
    read = read_offer(text, [], TRACKS)
    assert found(read) == {"webcam": "webcam", "main_video": "main_video"}
    assert refused(offer(("audio", "recvonly", "main_video")), []) == "wrong_kind"


def test_otherwise_they_meet_in_their_order() -> None:
    assert found(read_offer(offer(*ALL), [], TRACKS)) == {
        "0": "main_video", "1": "sound", "2": "webcam", "3": "mic",
    }  # fmt: skip
    upside_down = offer(*reversed(ALL))
    assert found(read_offer(upside_down, [], TRACKS)) == {
        "0": "mic", "1": "webcam", "2": "sound", "3": "main_video",
    }  # fmt: skip


@pytest.mark.parametrize("direction", ["inactive", "sendonly"])
def test_a_section_that_fits_no_track_carries_nothing(direction: str) -> None:
    text = offer(("video", direction), ("video", direction))
    carried = {"0": "webcam"} if direction == "sendonly" else {}
    assert found(read_offer(text, [], TRACKS)) == carried


def test_sendrecv_brings_the_camera_back_on_the_same_section() -> None:
    read = read_offer(offer(("video", "sendrecv"), ("audio", "sendrecv")), [], TRACKS)
    assert [(s.track, s.sends, s.back) for s in read.sections] == [
        ("main_video", True, "webcam"), ("sound", True, "mic"),
    ]  # fmt: skip
    assert read.inputs() == ["webcam", "mic"]


def test_a_camera_with_a_section_of_its_own_does_not_come_back_twice() -> None:
    read = read_offer(offer(("video", "sendrecv"), ("video", "sendonly")), [], TRACKS)
    assert [(s.track, s.back) for s in read.sections] == [("main_video", None), ("webcam", None)]


def test_a_mapping_says_all_and_nothing_comes_back_beside_it() -> None:
    read = read_offer(offer(("video", "sendrecv")), MAPPING[:1], TRACKS)
    assert read.sections[0].back is None


def test_recvonly_brings_nothing_back() -> None:
    assert read_offer(offer(("video", "recvonly")), [], TRACKS).inputs() == []


SECTIONS = st.lists(
    st.tuples(
        st.sampled_from(("video", "audio", "-video", "-audio")),
        st.sampled_from(("sendrecv", "sendonly", "recvonly", "inactive")),
    ),
    max_size=8,
)


@given(SECTIONS)
def test_whatever_is_offered_without_a_mapping_fits(media: list[tuple[str, str]]) -> None:
    read = read_offer(offer(*media), [], TRACKS)
    used = [s.track for s in read.sections] + [s.back for s in read.sections if s.back]
    assert len(used) == len(set(used))
    for section in read.sections:
        kind, direction = media[int(section.mid)]
        track = TRACKS[section.track]
        assert section.kind == kind == track.kind.value
        assert section.sends == (track.direction is TrackDirection.OUT)
        assert direction in ("sendrecv", "recvonly" if section.sends else "sendonly")
        assert section.back is None or (direction == "sendrecv" and TRACKS[section.back].kind.value == kind)
    # Nothing is left out that a free section could carry.
    free = [i for i, _ in enumerate(media) if str(i) not in found(read)]
    for name in set(TRACKS) - set(used):
        kind = TRACKS[name].kind.value
        wanted = "recvonly" if TRACKS[name].direction is TrackDirection.OUT else "sendonly"
        assert all((media[i][0], media[i][1]) != (kind, wanted) for i in free)
