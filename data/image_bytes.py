"""What an image file's bytes say before any decoder sees them: its format, its depth, and whether they are whole."""

from __future__ import annotations

import struct
import zlib
from typing import Final

from data.errors import DatasetError

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_UNREAD: Final = (
    (0, b"8BPS", "a Photoshop file"),
    (0, b"%PDF", "a PDF"),
    (0, b"<svg", "an SVG drawing"),
    (0, b"<?xml", "an SVG drawing or another XML file"),
    (0, b"\0\0\1\0", "an icon (ICO)"),
    (0, b"\0\0\0\x0cjP  ", "a JPEG 2000 image"),
    (0, b"\xff\x4f\xff\x51", "a JPEG 2000 image"),
    (0, b"\0\0\0\x0cJXL ", "a JPEG XL image"),
    (0, b"\xff\x0a", "a JPEG XL image"),
    (0, b"\x76\x2f\x31\x01", "an OpenEXR image"),
    (128, b"DICM", "a DICOM image"),
    *(
        (4, b"ftyp" + brand, "a HEIC image")
        for brand in (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")
    ),
    *((0, b"P" + kind, "a PNM image") for kind in (b"1\n", b"2\n", b"3\n", b"4\n", b"5\n", b"6\n")),
)
"""Formats that are not read: where each has which bytes, and what it is."""

_AV1_SETTINGS: Final = b"av1C"
_MORE_THAN_8_BITS: Final = 0x40


def check_bytes(content: bytes) -> None:
    """Raise DatasetError for a format that is not read, a PNG that is damaged, or an AVIF of more than 8 bits."""
    if content.startswith(_PNG):
        _check_png(content)
    elif content[4:8] == b"ftyp" and b"avif" in content[8:64]:
        _check_avif(content)
    else:
        for place, begins, what in _UNREAD:
            if content.startswith(begins, place):
                raise DatasetError(f"it is {what}, which is not read; save it as PNG or JPEG")


def _check_png(content: bytes) -> None:
    """Raise DatasetError where a PNG is cut short, or a chunk does not match its CRC-32, which decoders pass over."""
    place, kind = len(_PNG), b""
    while kind != b"IEND":
        head = content[place : place + 8]
        length, kind = struct.unpack(">I4s", head) if len(head) == 8 else (0, b"")
        end = place + 8 + length
        stored = content[end : end + 4]
        if len(stored) < 4:
            raise DatasetError("it cannot be decoded: the PNG is damaged or cut short")
        if zlib.crc32(memoryview(content)[place + 4 : end]) != int.from_bytes(stored, "big"):
            raise DatasetError(f"it cannot be decoded: the PNG is damaged, its part {kind!r} does not match its CRC")
        place = end + 4


def _check_avif(content: bytes) -> None:
    """Raise DatasetError for an AVIF whose colours have more than 8 bits, which Pillow would drop in silence."""
    place = content.find(_AV1_SETTINGS) + len(_AV1_SETTINGS) + 2
    if _AV1_SETTINGS in content and content[place : place + 1] and content[place] & _MORE_THAN_8_BITS:
        raise DatasetError("its pixels have more than 8 bits; save it as 8-bit gray or colour")
