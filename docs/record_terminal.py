"""Runs the README's search in a terminal of its own and draws what it leaves there: `make terminal`."""

import os
import pty
import re
import subprocess
import sys
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

WIDTH = 118
"""Columns of the terminal."""

README = Path(__file__).parents[1] / "README.md"
PICTURE = Path(__file__).with_name("terminal.svg")
SPACE = "[space]\nrate = { log = [1e-3, 1.0] }\ndepth = { integer = [1, 6] }\n"
"""What `agesearch check` prints for the README's program."""

COMMAND = "agesearch search train.py --trials 20,20 --workers 4"
FORMAT = re.sub(r"@font-face \{\{.*?\}\}|<!--.*?-->", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
"""Rich's picture without the fonts that it would load from elsewhere."""


def recorded(folder: Path) -> str:
    """Return all that the search writes to its terminal."""
    program = re.findall(r"^```python\n(.*?)^```", README.read_text(), re.MULTILINE | re.DOTALL)[0]
    (folder / "train.py").write_text(program)
    (folder / "agesearch.toml").write_text(SPACE)
    ours, theirs = pty.openpty()
    environment = {**os.environ, "COLUMNS": str(WIDTH), "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    search = subprocess.Popen(COMMAND.split(), cwd=folder, env=environment, stdout=theirs, stderr=theirs)  # noqa: S603
    os.close(theirs)
    pieces = []
    try:
        while piece := os.read(ours, 65536):
            pieces.append(piece)
    except OSError:  # Linux's way to say that the terminal's last process has ended
        pass
    os.close(ours)
    assert search.wait() == 0  # noqa: S101
    return b"".join(pieces).decode()


def left_on_screen(written: str) -> list[str]:
    """Return the lines that are left, with their colours, when lines have been erased and written again."""
    lines, row = [""], 0
    for piece in re.findall(r"\n|\x1b\[2K|\x1b\[\d*A|\x1b\[\?\d+[hl]|\r|\x1b\[[\d;]*m|[^\x1b\r\n]+", written):
        if piece == "\n":
            row += 1
            lines += [""] * (row == len(lines))
        elif piece == "\x1b[2K":
            lines[row] = ""
        elif piece.endswith("A") and piece.startswith("\x1b["):
            row -= int(piece[2:-1] or 1)
        elif piece != "\r" and not piece.startswith("\x1b[?"):
            lines[row] += piece
    return lines


def main() -> None:
    """Record the search and write the picture."""
    with TemporaryDirectory() as folder:
        lines = left_on_screen(recorded(Path(folder)))
    console = Console(record=True, width=WIDTH, file=StringIO(), force_terminal=True)
    console.print(Text.from_ansi("\n".join([f"$ {COMMAND}", *lines]).rstrip()))
    console.save_svg(str(PICTURE), title="agesearch", theme=MONOKAI, code_format=FORMAT, unique_id="terminal")


if __name__ == "__main__":
    main()
