"""From the bytes of an image file to gray or coloured pixels of a fixed size."""

from __future__ import annotations

import struct
import warnings
import zlib
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

from data.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Decode = Callable[[bytes, tuple[int, int], int], NDArray[np.uint8]]

IMAGE_SIZE: Final = (91, 91)
"""Height and width of the paper's images, in pixels."""

MODES: Final = {1: "L", 3: "RGB"}
"""Pillow's name of what is stored, by the channels of an image."""

MOST_PIXELS: Final = 50_000_000
"""Larger images are refused from their header, before a pixel is decoded."""

MOST_BYTES: Final = 100_000_000
_FORMATS: Final = ("JPEG", "PNG", "BMP", "GIF", "TIFF", "WEBP", "AVIF")
_STILL: Final = frozenset({"JPEG", "MPO", "PNG"})
"""Formats in which the first image is the one that is meant: others are previews, or shown where nothing moves."""
_MODES: Final = frozenset({"1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr"})


def decode_image(content: bytes, size: tuple[int, int] = IMAGE_SIZE, channels: int = 1) -> NDArray[np.uint8]:
    """Decode an image to gray, or to RGB for 3 `channels`, upright by its EXIF orientation, resized if need be.

    Returns uint8 (H, W, channels), `size` being (H, W): Pillow's `L` (ITU-R 601 luma) and bicubic resampling, so an
    image that is gray and of that size already keeps every pixel. What is transparent is laid on white. Raises
    DatasetError with the reason, and for a PNG that does not match its checksums.
    """
    if not content:
        raise DatasetError("it is empty")
    check_bytes(content)
    try:
        # Pillow warns of what it can do without (transparency, a damaged EXIF) and of large images, which are refused
        # below from their headers; what it cannot decode it raises for. The filter is restored at once.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(BytesIO(content), formats=_FORMATS) as image:
                _check_header(image)
                pixels = _pixels(image, (size[1], size[0]), MODES[channels])
    except DatasetError:
        raise
    except UnidentifiedImageError as error:
        raise DatasetError("it is not a JPEG or PNG image, nor a BMP, GIF, TIFF, WebP or AVIF") from error
    except Exception as error:
        # Pillow's decoders raise nearly every class on hostile bytes; each means that this image is bad.
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DatasetError(f"it cannot be decoded: {reason}") from error
    return np.asarray(pixels, dtype=np.uint8).reshape(*size, channels)


def read_image(
    image: Path | str | bytes, size: tuple[int, int] = IMAGE_SIZE, channels: int = 1, decode: Decode = decode_image
) -> NDArray[np.uint8]:
    """Read one image file, or the bytes of one, as `decode_image` does; raises DatasetError naming the file."""
    if isinstance(image, bytes):
        return decode(image, size, channels)
    try:
        with Path(image).open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        raise DatasetError(f"{image} cannot be read: {getattr(error, 'strerror', None) or error}") from error
    if len(content) > MOST_BYTES:
        raise DatasetError(f"{image} cannot be read: it is larger than {MOST_BYTES} bytes, the limit for one image")
    try:
        return decode(content, size, channels)
    except DatasetError as error:
        raise DatasetError(f"{image} cannot be used: {error}") from error


def _check_header(image: ImageFile.ImageFile) -> None:
    """Raise DatasetError where the header announces too many pixels, or pixels that do not fit 8 bits."""
    width, height = image.size
    if width * height > MOST_PIXELS:
        raise DatasetError(f"its {width}x{height} pixels are more than {MOST_PIXELS}, the limit for one image")
    # Pillow calls coloured ones RGB or LA and drops their lower bytes, but says how the file has them. A BMP has 16 for
    # all three colours together.
    if image.format != "BMP" and any(";16" in str(tile.args) for tile in image.tile):
        raise DatasetError("its pixels have 16 bits; save it as 8-bit gray or colour")
    if image.mode not in _MODES:
        raise DatasetError(f"its pixels are of mode {image.mode}; save it as 8-bit gray or colour")
    frames = 1 if image.format in _STILL else getattr(image, "n_frames", 1)
    if frames > 1:
        raise DatasetError(f"it holds {frames} images; save the one that is meant as a file of its own")


def _pixels(image: Image.Image, size: tuple[int, int], mode: str) -> Image.Image:
    pixels = _opaque(ImageOps.exif_transpose(image)).convert(mode)
    return pixels if pixels.size == size else pixels.resize(size, Image.Resampling.BICUBIC)


def _opaque(image: Image.Image) -> Image.Image:
    """Lay an image on white where it has transparency: what is stored beneath that, nobody has seen."""
    if not image.has_transparency_data:
        return image
    layer = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")


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
