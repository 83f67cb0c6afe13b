"""How large a compressed picture says it is, before anybody decodes it. Pure."""

from __future__ import annotations

from collections.abc import Sequence

LONG_SIDE, SHORT_SIDE = 4096, 2304
"""Pixels of a client's picture, either way up: decoded and converted it takes about 100 MB."""
_VP8_START = b"\x9d\x01\x2a"
_VP9_SYNC = 0x498342
_AV1_SEQUENCE = 1
HEADER_BYTES = 256
"""What is looked at of a header; real ones take 10 to 40."""
AV1_UNITS = 1024
"""Units (OBU) of one picture; encoders write 1 to 130."""

Size = tuple[int, int]


def too_large(size: Size) -> bool:
    return max(size) > LONG_SIDE or min(size) > SHORT_SIDE


def picture_size(codec: str, data: bytes) -> Size | None:
    """The largest width and height that a picture of VP8, VP9 or AV1 says; None where it says none.

    Raises `ValueError` for what is no picture: nobody knows what it would take to decode.
    """
    try:
        match codec:
            case "VP8":
                return _vp8(data)
            case "VP9":
                return _largest([_vp9(part) for part in _superframe(data)])
            case "AV1":
                return _largest(_av1(data))
    except IndexError:
        raise ValueError("the picture ends in its header") from None
    return None


def _largest(sizes: Sequence[Size | None]) -> Size | None:
    return max((size for size in sizes if size), key=lambda size: size[0] * size[1], default=None)


def _vp8(data: bytes) -> Size | None:
    """RFC 6386 section 9.1."""
    if not data or data[0] & 1:
        return None
    if data[3:6] != _VP8_START or len(data) < 10:
        raise ValueError("a keyframe without its start code")
    return (data[6] | data[7] << 8) & 0x3FFF, (data[8] | data[9] << 8) & 0x3FFF


class _Bits:
    """Reads bits, the highest first."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def take(self, count: int) -> int:
        value = 0
        for _ in range(count):
            value = value << 1 | self._data[self._at >> 3] >> (7 - (self._at & 7)) & 1
            self._at += 1
        return value

    def skip_uvlc(self) -> None:
        zeros = 0
        while not self.take(1) and zeros < 32:
            zeros += 1
        self.take(zeros)


def _superframe(data: bytes) -> list[bytes]:
    """VP9 bitstream specification, annex B: several frames may hide in one."""
    marker = data[-1]
    count, width = (marker & 7) + 1, (marker >> 3 & 3) + 1
    index = data[-(2 + count * width) :]
    if marker >> 5 != 6 or len(index) < 2 + count * width or index[0] != marker:
        return [data]
    parts, at = [], 0
    for number in range(count):
        size = int.from_bytes(index[1 + number * width : 1 + (number + 1) * width], "little")
        if size:
            parts.append(data[at : at + min(size, HEADER_BYTES)])
        at += size
    return parts


def _vp9(data: bytes) -> Size | None:
    """VP9 bitstream specification, section 6.2."""
    bits = _Bits(data[:HEADER_BYTES])
    if bits.take(2) != 2:
        raise ValueError("no frame marker")
    profile = bits.take(1) | bits.take(1) << 1
    if profile == 3:
        bits.take(1)
    if bits.take(1):  # a frame that is there already is shown again
        return None
    inter, shown, resilient = bits.take(1), bits.take(1), bits.take(1)
    intra_only = bool(inter and not shown and bits.take(1))
    if inter and not resilient:
        bits.take(2)
    if inter and not intra_only:
        return _vp9_resized(bits)
    if bits.take(24) != _VP9_SYNC:
        raise ValueError("no sync code")
    if not inter or profile:
        _skip_vp9_colours(bits, profile)
    if inter:
        bits.take(8)
    return bits.take(16) + 1, bits.take(16) + 1


def _vp9_resized(bits: _Bits) -> Size | None:
    """A frame between keyframes may have a size of its own, or that of one of three others."""
    bits.take(8 + 3 * 4)
    if any(bits.take(1) for _ in range(3)):
        return None
    return bits.take(16) + 1, bits.take(16) + 1


def _skip_vp9_colours(bits: _Bits, profile: int) -> None:
    if profile >= 2:
        bits.take(1)
    srgb = bits.take(3) == 7
    if not srgb:
        bits.take(1)
    if profile in (1, 3):
        bits.take(1 if srgb else 3)


def _av1(data: bytes) -> list[Size]:
    """AV1 specification, sections 5.3 and 5.5: a sequence header bounds all pictures after it."""
    sizes: list[Size] = []
    at = 0
    for _ in range(AV1_UNITS):
        if at >= len(data):
            return sizes
        header = data[at]
        kind, extended, sized = header >> 3 & 15, header >> 2 & 1, header >> 1 & 1
        at += 1 + extended
        size = len(data) - at
        if sized:
            size, at = _leb128(data, at)
        if kind == _AV1_SEQUENCE:
            sizes.append(_av1_sequence(_Bits(data[at : at + min(size, HEADER_BYTES)])))
        at += size
    raise ValueError("too many units in one picture")


def _leb128(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 56, 7):
        value |= (data[at] & 0x7F) << shift
        at += 1
        if not data[at - 1] & 0x80:
            return value, at
    raise ValueError("a length that does not end")


def _av1_sequence(bits: _Bits) -> Size:
    bits.take(3 + 1)
    if bits.take(1):  # a still picture
        bits.take(5)
    else:
        _skip_av1_operation(bits)
    wide, high = bits.take(4) + 1, bits.take(4) + 1
    return bits.take(wide) + 1, bits.take(high) + 1


def _skip_av1_operation(bits: _Bits) -> None:
    model, delay_bits = 0, 0
    if bits.take(1):  # timing
        bits.take(32 + 32)
        if bits.take(1):
            bits.skip_uvlc()
        model = bits.take(1)
        if model:
            delay_bits = bits.take(5) + 1
            bits.take(32 + 5 + 5)
    initial_delay = bits.take(1)
    for _ in range(bits.take(5) + 1):
        bits.take(12)
        if bits.take(5) > 7:
            bits.take(1)
        if model and bits.take(1):
            bits.take(2 * delay_bits + 1)
        if initial_delay and bits.take(1):
            bits.take(4)
