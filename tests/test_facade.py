"""What `from reactor_runtime import …` gives, and what it costs."""

from __future__ import annotations

import pickle
import subprocess
import sys

import pytest

import reactor_runtime

PROMISED = [
    *("VideoModel", "model", "command", "get_ctx", "CommandError", "message", "__version__"),
    *("Track", "OutputTrack", "InputTrack", "VideoOut", "AudioOut", "VideoIn", "AudioIn"),
    *("MediaBundle", "TrackData", "TrackDirection", "TrackKind", "UploadedFile"),
]

HEAVY = ["numpy", "cv2", "av", "fastapi", "omegaconf", "torch", "reactor_webrtc", "asyncio"]


def test_the_promised_names_are_there_and_few():
    assert set(PROMISED) <= set(reactor_runtime.__all__)
    assert reactor_runtime.__all__ == sorted(reactor_runtime.__all__)
    assert len(reactor_runtime.__all__) <= 25


@pytest.mark.parametrize("name", [name for name in reactor_runtime.__all__ if name != "__version__"])
def test_every_name_reports_the_package(name):
    value = getattr(reactor_runtime, name)
    assert value.__module__ == "reactor_runtime"
    assert pickle.loads(pickle.dumps(value)) is value


def test_nothing_else_leaks():
    import types

    public = {
        name
        for name, value in vars(reactor_runtime).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType)
    }
    assert public == set(reactor_runtime.__all__) - {"__version__"}


def test_the_older_import_paths():
    from reactor_runtime import tracks
    from reactor_runtime.transports import media

    for name in tracks.__all__:
        assert getattr(tracks, name) is getattr(reactor_runtime, name)
    for name in ("MediaBundle", "TrackData", "TrackKind", "TrackDirection"):
        assert getattr(media, name) is getattr(reactor_runtime, name)
    assert media.TrackInfo("a", media.TrackKind.VIDEO).rate == 0


def test_the_command_line_s_help_is_light():
    code = (
        "import sys; from reactor_runtime.cli.main import reactor\n"
        "try: reactor(['--help'])\n"
        f"except SystemExit: print([name for name in {[*HEAVY, 'pydantic']} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_what_is_not_there_is_said_so():
    with pytest.raises(AttributeError, match="'reactor_runtime' has no attribute 'VideoModell'"):
        reactor_runtime.VideoModell  # noqa: B018 # to be asked for is its subject
    assert set(reactor_runtime.__all__) <= set(dir(reactor_runtime))


def test_the_import_is_light():
    code = f"import sys, reactor_runtime; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
