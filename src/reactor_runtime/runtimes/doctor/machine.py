"""What this machine has: encoders, cards, disk, and the licences of what is installed."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np

from reactor_runtime.errors import ReactorError
from reactor_runtime.media.encoders import EncoderChoice, EncoderSettings, VideoCodec, create_encoder
from reactor_runtime.media.i420 import I420Frame
from reactor_runtime.project.weights import CACHE

from .finding import Finding, note, ok, problem

SIZE = (640, 384)
LOW_DISK = 20 * 10**9
"""Bytes; a video model's weights are 5 to 60 GB."""
SMI = ("nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader")
SMI_S = 10
CUDA_OF = re.compile(r"CUDA(?: UMD)? Version:\s*([0-9]+)\.([0-9]+)")


def black(size: tuple[int, int] = SIZE) -> I420Frame:
    width, height = size
    data = np.full((height * 3 // 2, width), 128, np.uint8)
    return I420Frame(data, width, height, 0)


def encoders() -> list[Finding]:
    found = [
        _encoder("x264", VideoCodec.H264, EncoderChoice.X264),
        _encoder("VP8", VideoCodec.VP8, EncoderChoice.VP8),
    ]
    return [*found, nvenc()]


def _encoder(name: str, codec: VideoCodec, choice: EncoderChoice) -> Finding:
    reason = _encodes(codec, choice)
    if reason is None:
        return ok("encoders", f"{name} encodes.")
    return problem(
        "encoders", f"{name} does not encode ({reason}): install PyAV's own wheel, `pip install av`."
    )


def _encodes(codec: VideoCodec, choice: EncoderChoice) -> str | None:
    """Why one picture cannot be encoded; None when it can."""
    try:
        encoder = create_encoder(codec, *SIZE, 1_000_000, EncoderSettings(choice=choice))
        try:
            return None if encoder.encode(black(), 0, True) else "it makes no picture"
        finally:
            encoder.close()
    except ReactorError as error:
        return error.message


def nvenc() -> Finding:
    """In two steps: a driver may be there, and a card without an encoder behind it (H100, A100)."""
    card = gpu()
    if card is None:
        return note("nvenc", "No NVIDIA driver answers, so there is no NVENC; x264 serves everybody.")
    if _encodes(VideoCodec.H264, EncoderChoice.NVENC) is None:
        return ok("nvenc", f"NVENC of the {card[0]} encodes; --encoder nvenc uses it.")
    return note("nvenc", f"The {card[0]} has no NVENC that encodes (H100 and A100 have none); x264 serves.")


def gpu() -> tuple[str, str] | None:
    """The first card's name and its driver's version; None where no driver answers."""
    if shutil.which(SMI[0]) is None:
        return None
    try:
        told = subprocess.run(SMI, capture_output=True, text=True, timeout=SMI_S, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    name, _, driver = told.splitlines()[0].partition(",") if told.strip() else ("", "", "")
    return (name.strip(), driver.strip()) if name else None


def torch() -> Finding:
    """Whether torch and the driver agree. torch is not imported: that takes seconds and memory of a card."""
    card = gpu()
    version = _torch_version()
    if version is None:
        return note("torch", "torch is not installed here; a model that needs none plays all the same.")
    cuda = version.partition("+")[2]
    if card is None:
        if cuda.startswith("cu"):
            return note(
                "torch",
                f"torch {version} is built for CUDA, and no NVIDIA driver answers: it runs on the CPU.",
            )
        return ok("torch", f"torch {version} runs on the CPU.")
    if cuda == "cpu":
        return problem(
            "torch", f"torch {version} is built without CUDA beside a {card[0]}: install a CUDA build."
        )
    supported = _cuda_of_driver()
    wanted = _cuda_of_torch(cuda)
    if supported and wanted and wanted[0] > supported[0]:
        return problem(
            "torch",
            f"torch {version} needs CUDA {wanted[0]}, and driver {card[1]} has {supported[0]}.{supported[1]}:"
            " update the driver, or install an older build of torch.",
        )
    return ok("torch", f"torch {version} and driver {card[1]} of the {card[0]} agree.")


def _torch_version() -> str | None:
    """From the file that holds it alone."""
    found = importlib.util.find_spec("torch")
    if found is None or not found.submodule_search_locations:
        return None
    try:
        text = (Path(next(iter(found.submodule_search_locations))) / "version.py").read_text()
    except (OSError, StopIteration):
        return None
    version = re.search(r"__version__ = '([^']+)'", text)
    return version.group(1) if version else None


def _cuda_of_torch(build: str) -> tuple[int, int] | None:
    found = re.fullmatch(r"cu(\d{2})(\d)", build)
    return (int(found.group(1)), int(found.group(2))) if found else None


def _cuda_of_driver() -> tuple[int, int] | None:
    try:
        told = subprocess.run(SMI[:1], capture_output=True, text=True, timeout=SMI_S, check=False).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    found = CUDA_OF.search(told)
    return (int(found.group(1)), int(found.group(2))) if found else None


def disk(folder: Path = CACHE, low: int = LOW_DISK) -> Finding:
    place = folder.expanduser().absolute()
    there = next((each for each in (place, *place.parents) if each.exists()), Path("/"))
    free = shutil.disk_usage(there).free
    size = f"{free / 10**9:.0f} GB"
    if free < low:
        return note(
            "disk", f"{size} are free for weights at {place}: a video model takes 5 to 60; see --weights-dir."
        )
    return ok("disk", f"{size} are free for weights at {place}.")


def licence() -> Finding:
    """Of the encoders inside PyAV's wheel."""
    from av.codec import codecs_available

    if "libx264" in codecs_available:
        return note(
            "licence",
            "The installed PyAV holds x264, which is GPL: who passes this installation on, does so under it "
            "(docs/dependencies.md). Serving with it is not affected.",
        )
    return ok("licence", "The installed PyAV holds no encoder under the GPL.")
