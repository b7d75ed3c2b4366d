"""The pages that people read, and what they tell them to type."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
TOP = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")
PAGES = (*(ROOT / name for name in TOP), *sorted((ROOT / "docs").glob("*.md")))
INDEX = ROOT / "docs/README.md"
_BLOCK = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"(?<!`)`([^`]+)`(?!`)")


def blocks(text):
    """Return what stands in the blocks of a page."""
    return _BLOCK.findall(text)


def typed(start):
    """Return every line of the pages' blocks that types `start`, without the prompt, and the page it stands on."""
    found = []
    for page in PAGES:
        for block in blocks(page.read_text()):
            lines = (line.removeprefix("$ ").removeprefix("srun ") for line in block.replace("\\\n", " ").splitlines())
            found += [(page.name, line) for line in lines if line.startswith(start)]
    return found


def mentioned(start):
    """Return the same for what stands between the words of a sentence."""
    found = []
    for page in PAGES:
        spans = (" ".join(span.split()) for span in _SPAN.findall(_BLOCK.sub("", page.read_text())))
        found += [(page.name, span) for span in spans if span.startswith(start)]
    return found
