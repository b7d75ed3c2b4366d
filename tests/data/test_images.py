import io
import struct
import zlib
from contextlib import suppress

import numpy as np
import pytest
from PIL import Image

from data.errors import DatasetError
from data.images import check_bytes, decode_image, read_image


def encoded(image, form="PNG", **options):
    stream = io.BytesIO()
    image.save(stream, form, **options)
    return stream.getvalue()


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def drawn_png(bits, colour, lines, before=b"", after=b""):
    """Write a PNG of 9x9 pixels by hand, of any bits and type of colour, with chunks before or after its header."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 9, 9, bits, colour, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + before + header + after + pixels


def test_a_gray_image_of_the_right_size_keeps_every_pixel():
    pixels = np.random.default_rng(0).integers(0, 256, (91, 91), dtype=np.uint8)
    decoded = decode_image(encoded(Image.fromarray(pixels)))
    assert (decoded.shape, decoded.dtype) == ((91, 91, 1), np.uint8)
    assert (decoded[..., 0] == pixels).all()


def test_a_colour_image_becomes_gray_and_is_resized_bicubically(make):
    content = make.image(1, (200, 150), mode="RGB")
    expected = Image.open(io.BytesIO(content)).convert("L").resize((30, 40), Image.Resampling.BICUBIC)
    assert (decode_image(content, (40, 30))[..., 0] == np.asarray(expected)).all()


def test_a_photograph_is_turned_upright():
    pixels = np.zeros((16, 16), np.uint8)
    pixels[:, :8] = 200
    exif = Image.Exif()
    exif[274] = 6  # to be turned a quarter clockwise
    upright = decode_image(encoded(Image.fromarray(pixels), exif=exif), (16, 16))[..., 0]
    assert (upright == np.rot90(pixels, -1)).all()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_every_8_bit_mode_is_read(mode):
    assert decode_image(encoded(Image.new(mode, (9, 9))), (9, 9)).shape == (9, 9, 1)


def square(mode):
    """Draw a black square on a transparent ground, beneath which is black as well."""
    alpha = np.zeros((9, 9), np.uint8)
    alpha[3:6, 3:6] = 255
    image = Image.new("RGBA", (9, 9), "black")
    image.putalpha(Image.fromarray(alpha))
    return image.quantize(2) if mode == "P" else image.convert(mode)


@pytest.mark.parametrize("mode", ["LA", "RGBA", "P"])
def test_what_is_transparent_is_white(mode):
    seen = np.full((9, 9), 255, np.uint8)
    seen[3:6, 3:6] = 0
    for channels in (1, 3):
        assert (decode_image(encoded(square(mode)), (9, 9), channels) == seen[..., None]).all()


@pytest.mark.parametrize(("mode", "colour"), [("L", 30), ("RGB", (30, 30, 30))])
def test_a_colour_that_is_declared_transparent_is_white(mode, colour):
    image = Image.new(mode, (9, 9), colour)
    image.putpixel((4, 4), 7 if mode == "L" else (7, 7, 7))
    decoded = decode_image(encoded(image, transparency=colour), (9, 9))[..., 0]
    assert decoded[4, 4] == 7
    assert np.count_nonzero(decoded == 255) == 80


def test_a_palette_with_graded_transparency_fades_into_white():
    image = Image.fromarray(np.arange(81, dtype=np.uint8).reshape(9, 9), "P")
    colours = np.array([(index, 255 - index, index // 2) for index in range(256)])
    image.putpalette(colours.flatten().tolist())
    alpha = np.arange(0, 243, 3)[:, None] / 255
    decoded = decode_image(encoded(image, transparency=bytes(range(0, 243, 3))), (9, 9), 3)
    assert abs(decoded.reshape(81, 3) - (colours[:81] * alpha + 255 * (1 - alpha))).max() <= 1


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_an_image_that_is_opaque_everywhere_keeps_every_pixel(mode):
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    image = Image.fromarray(pixels).convert("L" if mode == "LA" else "RGB")
    plain, opaque = encoded(image), encoded(image.convert(mode))
    for channels in (1, 3):
        assert (decode_image(opaque, (64, 64), channels) == decode_image(plain, (64, 64), channels)).all()


def test_a_photograph_is_turned_by_what_is_left_of_a_damaged_exif():
    pixels, exif = np.zeros((16, 16), np.uint8), Image.Exif()
    pixels[:, :8] = 200
    exif[271], exif[274] = "a camera's maker", 6
    whole = exif.tobytes()
    damaged = whole.replace((17).to_bytes(4, "big"), (2**30).to_bytes(4, "big"))  # the length of the maker's name
    assert damaged != whole
    upright = decode_image(encoded(Image.fromarray(pixels), exif=damaged), (16, 16))[..., 0]
    assert (upright == np.rot90(pixels, -1)).all()


@pytest.mark.parametrize(("colour", "channels"), [(0, 1), (2, 3), (4, 2), (6, 4)])
@pytest.mark.parametrize("before", [b"", chunk(b"tEXt", b"Title\0none")], ids=["header first", "header second"])
def test_16_bit_pixels_are_refused_rather_than_clipped(colour, channels, before):
    lines = (b"\0" + b"\x9c\x40" * channels * 9) * 9
    with pytest.raises(DatasetError, match=r"^its pixels have 16 bits; save it as 8-bit gray or colour$"):
        decode_image(drawn_png(16, colour, lines, before))


@pytest.mark.parametrize("bits", [1, 2, 4])
@pytest.mark.parametrize("colour", [0, 3])
def test_pixels_of_fewer_than_8_bits_are_read(bits, colour):
    lines = (b"\0" + bytes(-(-9 * bits // 8))) * 9
    palette = chunk(b"PLTE", bytes((50, 50, 50, 0, 0, 0))) if colour else b""
    decoded = decode_image(drawn_png(bits, colour, lines, after=palette), (9, 9))
    assert (decoded == (50 if colour else 0)).all()


def test_an_empty_file_is_told_from_one_that_is_no_image():
    with pytest.raises(DatasetError, match=r"^it is empty$"):
        decode_image(b"")


@pytest.mark.parametrize("content", [b"hello", b"GIF89a" + bytes(20)])
def test_bytes_that_are_no_image_are_refused(content):
    with pytest.raises(DatasetError, match="it is not a JPEG or PNG image"):
        decode_image(content)


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_an_image_cut_short_is_refused(make, form):
    content = make.image(1, (60, 60), form)
    for cut in range(20, len(content) - 20, 200):
        with pytest.raises(DatasetError, match=r"cannot be decoded|not a JPEG or PNG"):
            decode_image(content[:cut])


def test_a_giant_image_is_refused_by_its_header():
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 8000, 7000, 8, 0, 0, 0, 0))
    content = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    with pytest.raises(DatasetError, match="8000x7000 pixels are more than 50000000, the limit"):
        decode_image(content)
    larger = [chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)) for side in (10_000, 80_000)]
    with pytest.raises(DatasetError, match="10000x10000 pixels are more than 50000000, the limit"):
        decode_image(content.replace(header, larger[0]))
    with pytest.raises(DatasetError, match=r"decompression bomb|exceeds limit"):
        decode_image(content.replace(header, larger[1]))


def test_reading_a_file_names_it_in_errors(make, tmp_path):
    (tmp_path / "a.jpg").write_bytes(make.image(1))
    (tmp_path / "b.jpg").write_bytes(b"text")
    assert (read_image(tmp_path / "a.jpg", (12, 12)) == read_image(make.image(1), (12, 12))).all()
    with pytest.raises(DatasetError, match=r"b.jpg cannot be used: it is not a JPEG or PNG image"):
        read_image(tmp_path / "b.jpg")
    for path in (tmp_path / "c.jpg", tmp_path, "a\0b"):
        with pytest.raises(DatasetError, match="cannot be read"):
            read_image(path)


@pytest.mark.parametrize("form", ["BMP", "GIF", "TIFF", "WEBP", "AVIF"])
def test_other_formats_are_read_as_the_png_of_the_same_pixels(form):
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (16, 16), np.uint8))
    content = encoded(image, form, **({"lossless": True} if form == "WEBP" else {}))
    seen = Image.open(io.BytesIO(content)).convert("L")  # AVIF loses some of what it is given
    assert (decode_image(content, (16, 16)) == decode_image(encoded(seen), (16, 16))).all()


@pytest.mark.parametrize("form", ["GIF", "TIFF", "WEBP", "AVIF"])
def test_a_file_of_several_images_is_refused_with_their_number(form):
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "green", "blue")]
    with pytest.raises(DatasetError, match=r"^it holds 3 images; save the one that is meant"):
        decode_image(encoded(frames[0], form, save_all=True, append_images=frames[1:]))


def test_a_bmp_of_16_bits_for_three_colours_is_read():
    pixels = struct.pack("<4H", *[0b0111110000000000] * 4)
    header = struct.pack("<IiiHHIIiiII", 40, 2, 2, 1, 16, 0, len(pixels), 0, 0, 0, 0)
    content = b"BM" + struct.pack("<IHHI", 54 + len(pixels), 0, 0, 54) + header + pixels
    assert (decode_image(content, (2, 2), 3) == (255, 0, 0)).all()


def test_a_tiff_of_more_than_8_bits_is_refused():
    for pixels in (np.zeros((9, 9), np.uint16), np.zeros((9, 9), np.float32), np.zeros((9, 9), np.int32)):
        with pytest.raises(DatasetError, match="save it as 8-bit gray or colour"):
            decode_image(encoded(Image.fromarray(pixels), "TIFF"))


def changed(content, seed):
    """Return the content with one byte of it changed."""
    rng = np.random.default_rng(seed)
    wrong = bytearray(content)
    wrong[rng.integers(len(content))] ^= int(rng.integers(1, 256))
    return bytes(wrong)


def accepted_wrong(content, changes, size):
    """Count the changes of one byte that leave an image which is read, but as other pixels."""
    right, wrong = decode_image(content, size), 0
    for seed in range(changes):
        with suppress(DatasetError):
            wrong += not np.array_equal(decode_image(changed(content, seed), size), right)
    return wrong


def smooth(seed, form, size=24):
    down, across = np.mgrid[:size, :size]
    return encoded(Image.fromarray((down * (3 + seed % 5) + across * 2 + 7 * seed).astype(np.uint8)), form)


def test_a_png_with_a_changed_byte_is_never_read_as_other_pixels(tell):
    png, jpeg = ([accepted_wrong(smooth(seed, form), 300, (24, 24)) for seed in range(10)] for form in ("PNG", "JPEG"))
    tell(f"of 300 changes, read as other pixels: PNG {png}; JPEG, which has no checksum, {jpeg}")
    assert png == [0] * 10


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
