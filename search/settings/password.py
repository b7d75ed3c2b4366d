"""Passwords from where nobody else can read them: a file, or for a storage, whose URL shows none, the environment."""

import os
import stat
from pathlib import Path

from search.errors import SearchError

PASSWORD_VARIABLE = "AGESEARCH_STORAGE_PASSWORD"  # noqa: S105  (the name of a variable)


def with_password(url: str, file: Path | None) -> str:
    """Return the URL of a PostgreSQL storage with its password, where it has none and there is one to be had.

    It is looked for in AGESEARCH_STORAGE_PASSWORD, then in `file`. Without one PostgreSQL's own client looks into
    PGPASSWORD, PGPASSFILE and ~/.pgpass. A password among the URL's options is moved to where it is never shown.
    Raises SearchError for a file that others can read, and for an empty AGESEARCH_STORAGE_PASSWORD.
    """
    if os.environ.get(PASSWORD_VARIABLE) == "":
        raise SearchError(f"{PASSWORD_VARIABLE} is empty; write the password there, or unset it")
    if not url.startswith("postgresql"):
        return url
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        address = make_url(url)
    except (ArgumentError, ValueError):
        return url  # refused, without being shown, where it is opened
    password = address.password or address.query.get("password") or os.environ.get(PASSWORD_VARIABLE)
    password = password or (read_secret("storage_password_file", file) if file else None)
    address = address.difference_update_query(["password"])
    if password:
        address = address.set(password=str(password))
    return address.render_as_string(hide_password=False)


def read_secret(setting: str, file: Path) -> str:
    """Return the first line of a file; others may read it only if it is another user's, as a container's secret is.

    Raises SearchError, which names the `setting`, for a file that others can read, an empty one, or none.
    """
    try:
        status = file.stat()
        if status.st_uid == os.geteuid() and stat.S_IMODE(status.st_mode) & (stat.S_IRWXG | stat.S_IRWXO):
            raise SearchError(f"{setting} {file} can be read by others; run: chmod 600 {file}")
        line = file.read_text(encoding="utf-8").partition("\n")[0].rstrip("\r")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise SearchError(f"{setting} {file} cannot be read: {reason}") from None
    if not line:
        raise SearchError(f"{setting} {file} is empty: write the password on its first line")
    return line
