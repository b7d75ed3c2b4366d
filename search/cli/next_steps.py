"""What to type next, in the words that a shell takes."""

import shlex
import shutil
import sys

from search.settings.settings import Settings


def typed(*words: object) -> str:
    """Return a command of this program as it is typed."""
    return f"{program()} {shlex.join(map(str, words))}"


def program() -> str:
    """Return what a shell knows this program by: its name, or else the way in which it was called."""
    if shutil.which("agesearch"):
        return "agesearch"
    called = sys.argv[0]
    return shlex.join([sys.executable, "-m", "search"] if called.endswith("__main__.py") else [called])


def place_of(settings: Settings) -> list[str]:
    """Return the flags that lead to a study, but for those that say what is so by default."""
    place = {"study": settings.study, "storage": without_password(settings.storage)}
    given = {name: value for name, value in place.items() if value != Settings.model_fields[name].default}
    return [word for name, value in given.items() for word in (f"--{name}", value)]


def without_password(url: str) -> str:
    """Return a URL that may be shown and typed; what it needs of a password comes from where passwords are kept."""
    from search.storage.address import parse_address

    return str(parse_address(url)._replace(password=None))  # `URL.set` takes no notice of None
