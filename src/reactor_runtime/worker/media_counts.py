"""What the media of a session did, by a word, for /metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reactor_runtime.session.session import Session


def media_counts(session: Session) -> dict[str, float]:
    """So far. A frame is encoded once for each codec in use."""
    plane, sound = session.media.plane, session.media.sound
    encoded, heard = plane.encoded(), sound.all_counters
    return {
        "pictures_shown": plane.playout.counters.pictures,
        "steps_incomplete": plane.playout.counters.incomplete,
        "frames_encoded": encoded.encoded,
        "frames_skipped": encoded.dropped,
        "keyframes": encoded.keyframes,
        "encode_failed": encoded.failed,
        "bits_encoded": encoded.bits,
        "samples_played": sum(each.played for each in heard),
        "samples_unheard": sum(each.unheard for each in heard),
        "sound_underruns": sum(each.underruns for each in heard),
    }
