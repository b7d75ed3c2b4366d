import io
import struct

import pytest
from PIL import Image

from data.errors import DatasetError
from data.image_bytes import check_bytes


@pytest.fixture
def png():
    stream = io.BytesIO()
    Image.new("L", (9, 9), 7).save(stream, "PNG")
    return stream.getvalue()


def test_a_whole_png_passes_whatever_follows_it(png):
    check_bytes(png)
    check_bytes(png + b"a preview")


@pytest.mark.parametrize("kind", [b"IHDR", b"IDAT", b"IEND"])
def test_the_part_of_a_png_that_does_not_match_its_checksum_is_named(png, kind):
    place = png.index(kind) + len(kind) + struct.unpack(">I", png[png.index(kind) - 4 :][:4])[0]
    with pytest.raises(DatasetError, match=f"damaged, its part {kind!r} does not match its CRC"):
        check_bytes(png[:place] + bytes([png[place] ^ 1]) + png[place + 1 :])


def test_a_png_that_is_cut_short_anywhere_is_refused(png):
    for end in range(8, len(png)):
        with pytest.raises(DatasetError, match="damaged or cut short"):
            check_bytes(png[:end])


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "a HEIC image"),
        (b"%PDF-1.7", "a PDF"),
        (b"<svg xmlns=''>", "an SVG drawing"),
        (b"\xff\x0a12", "a JPEG XL image"),
        (bytes(128) + b"DICM", "a DICOM image"),
    ],
)
def test_a_format_that_is_not_read_is_named(content, what):
    with pytest.raises(DatasetError, match=f"^it is {what}, which is not read; save it as PNG or JPEG$"):
        check_bytes(content)


@pytest.mark.parametrize(("flags", "refused"), [(0x00, False), (0x40, True), (0x60, True)])
def test_an_avif_of_more_than_8_bits_is_refused(flags, refused):
    content = b"\0\0\0\x1cftypavif\0\0\0\0avifmif1" + b"\0\0\0\x0cav1C" + bytes([0x81, 0, flags, 0])
    if not refused:
        check_bytes(content)
        return
    with pytest.raises(DatasetError, match="more than 8 bits"):
        check_bytes(content)
