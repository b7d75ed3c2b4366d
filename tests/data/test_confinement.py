import resource
import subprocess
import sys
from pathlib import Path

import pytest

from data.confinement import MEMORY
from data.decoding import Decoder
from data.images import decode_image
from data.inspection import inspect_dataset

LOWER = 3_500_000 * 1024
LIMITED = f"import resource; resource.setrlimit(resource.RLIMIT_AS, ({LOWER}, {LOWER})); "
TOLD = "print(*resource.getrlimit(resource.RLIMIT_AS), *resource.getrlimit(resource.RLIMIT_CORE))"


@pytest.mark.parametrize(("before", "limit"), [("import resource; ", MEMORY), (LIMITED, LOWER)])
def test_a_process_has_four_gibibytes_at_the_most_and_leaves_no_core(before, limit):
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    program = f"{before}from data.confinement import confine; confine(); {TOLD}"
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=Path(__file__).parents[2], capture_output=True, check=True
    )
    expected = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
    assert ended.stdout.split() == [b"%d" % each for each in (expected, expected, 0, 0)]


def test_images_and_datasets_are_read_under_a_lower_limit_than_they_would_set(make, stored):
    decoding = "from data import decoding; decoding._main()"
    with Decoder((sys.executable, "-c", LIMITED + decoding)) as decoder:
        assert (decoder.decode(make.image(1)) == decode_image(make.image(1))).all()
    looking = "import sys; from pathlib import Path; from data import inspection; inspection._main(Path(sys.argv[1]))"
    assert inspect_dataset(stored, (sys.executable, "-c", LIMITED + looking)) == inspect_dataset(stored)
