import sys

import numpy as np
import pytest

from data.decoding import Decoder
from data.errors import DatasetError
from data.images import decode_image


def test_another_process_decodes_as_this_one_would(make):
    with Decoder() as decoder:
        for seed, size in enumerate([(12, 12), (20, 30), (91, 91)]):
            content = make.image(seed, (40, 50), mode="RGB")
            for channels in (1, 3):
                decoded = decoder.decode(content, size, channels)
                assert (decoded.shape, decoded.dtype) == ((*size, channels), np.uint8)
                assert np.array_equal(decoded, decode_image(content, size, channels))


def test_what_is_wrong_is_told_as_this_process_would_tell_it_and_the_next_image_is_decoded(make):
    with Decoder() as decoder:
        for content in (b"", b"hello", make.image(1)[:200]):
            with pytest.raises(DatasetError) as apart:
                decoder.decode(content)
            with pytest.raises(DatasetError) as here:
                decode_image(content)
            assert str(apart.value) == str(here.value)
        assert np.array_equal(decoder.decode(make.image(1)), decode_image(make.image(1)))


# Dies of any image that begins with an x.
DELICATE = """
import ctypes
from data import decoding

whole = decoding.decode_image
decoding.decode_image = lambda content, *how: ctypes.string_at(0) if content[:1] == b"x" else whole(content, *how)
decoding._main()
"""


def test_an_image_that_crashes_the_decoder_is_refused_and_the_next_one_is_decoded(make):
    with Decoder((sys.executable, "-c", DELICATE)) as decoder:
        for _ in range(2):
            with pytest.raises(DatasetError, match=r"it crashes the decoder \(signal 11\)"):
                decoder.decode(b"x" * 200_000)
            assert np.array_equal(decoder.decode(make.image(1)), decode_image(make.image(1)))


def test_an_image_that_takes_too_long_is_refused():
    slow = "import os, signal; os.kill(os.getpid(), signal.SIGALRM)"
    with Decoder((sys.executable, "-c", slow)) as decoder, pytest.raises(DatasetError, match="more than 60 seconds"):
        decoder.decode(b"")


def test_a_process_that_cannot_be_started_is_no_fault_of_the_image():
    with Decoder((sys.executable, "-c", "raise SystemExit(3)")) as decoder, pytest.raises(RuntimeError, match="code 3"):
        decoder.decode(b"x" * 200_000)


def test_a_decoder_without_images_starts_nothing():
    with Decoder(("/nowhere",)):
        pass
