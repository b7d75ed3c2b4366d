"""Reading the files inside .zip and .tar archives without ever unpacking to disk."""

from __future__ import annotations

import gzip
import lzma
import stat
import struct
import tarfile
import zipfile
import zlib
from contextlib import contextmanager
from itertools import pairwise
from typing import IO, TYPE_CHECKING, Final

from data.errors import DatasetError, Rejected, system_reason
from data.members import Listed, Member, Quota, archived_name, is_litter, oddly_named, shown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from data.members import Limits

# What zipfile, tarfile and zlib raise on damaged input.
_DAMAGED: Final = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    OSError,
    NotImplementedError,
    RuntimeError,
    ValueError,
)
_TAR_BLOCK: Final = 512
GZIP_MAGIC: Final = b"\x1f\x8b"


def list_zip(path: Path, limits: Limits) -> Listed:
    """List a .zip's files, sorted; raises DatasetError for hostile, encrypted or damaged archives."""
    quota = Quota(path.name, limits)
    names, rejected = [], []
    with _clear_errors(path), zipfile.ZipFile(path) as archive:
        quota.check_entries(len(archive.infolist()))
        for name, info in _zip_files(path, archive):
            quota.take(name, info.file_size)
            if name:
                names.append(name)
            else:
                rejected.append(oddly_named(info.filename))
    return _without_twins(path, names, rejected)


def read_zip(path: Path, limits: Limits) -> Iterator[Member]:
    """Yield a .zip's files in the order of their names; raises DatasetError as `list_zip` does.

    The limits count what is really unpacked, whatever the archive's directory states.
    """
    quota = Quota(path.name, limits)
    with _clear_errors(path), zipfile.ZipFile(path) as archive:
        quota.check_entries(len(archive.infolist()))
        files = [(name, info) for name, info in _zip_files(path, archive) if name]
        for name, info in sorted(files, key=lambda entry: entry[0]):
            with archive.open(info) as file:
                content = file.read(quota.file_bytes + 1)
            quota.take(name, len(content))
            yield Member(name, content)


def list_tar(path: Path, limits: Limits) -> Listed:
    """List a .tar's or .tar.gz's files, sorted; raises DatasetError for hostile or damaged archives."""
    quota = Quota(path.name, limits)
    names, rejected = [], []
    with _open_tar(path, limits) as archive:
        for name, info in _tar_files(path, archive, quota):
            quota.take(name, info.size)
            if name:
                names.append(name)
            else:
                rejected.append(oddly_named(info.name))
    return _without_twins(path, names, rejected)


def read_tar(path: Path, limits: Limits) -> Iterator[Member]:
    """Yield a .tar's or .tar.gz's files in the archive's own order (a .tar.gz can only be read forwards).

    Raises DatasetError as `list_tar` does.
    """
    quota = Quota(path.name, limits)
    with _open_tar(path, limits) as archive:
        for name, info in _tar_files(path, archive, quota):
            quota.take(name, info.size)
            if not name:
                continue
            file = archive.extractfile(info)
            content = file.read() if file else b""
            if len(content) != info.size:
                raise DatasetError(f"{path} is damaged or cut short: {name} ends early")
            yield Member(name, content)


@contextmanager
def _clear_errors(path: Path) -> Iterator[None]:
    """Turn what damaged and unreadable archives raise into one sentence that names the archive."""
    try:
        yield
    except DatasetError:
        raise
    except _DAMAGED as error:
        if reason := system_reason(error):
            raise DatasetError(f"{path} cannot be read: {reason}") from error
        raise DatasetError(f"{path} is damaged or cut short: {_one_line(error)}") from error


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _zip_files(path: Path, archive: zipfile.ZipFile) -> Iterator[tuple[str, zipfile.ZipInfo]]:
    """Yield name and entry of each file, the name empty where it is odd; raises DatasetError as `list_zip` does."""
    for info in archive.infolist():
        if is_litter(info.filename):
            continue
        name = archived_name(path.name, info.filename)
        if not info.filename.endswith(("/", "\\")):
            _check_zip_entry(path, info)
            yield name, info


def _check_zip_entry(path: Path, info: zipfile.ZipInfo) -> None:
    """Raise DatasetError for an entry that is no plain, unencrypted, stored or deflated file."""
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        raise DatasetError(
            f"{path}: {info.filename} is a link or a special file; unpack the archive and pass the folder"
        )
    if info.flag_bits & 0x1:
        raise DatasetError(f"{path}: {info.filename} is encrypted; unpack the archive and pass the folder")
    # Other methods may demand gigabytes before the first byte comes out.
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise DatasetError(f"{path}: {info.filename} is compressed by method {info.compress_type}, not by deflate")


def _without_twins(path: Path, names: list[str], rejected: list[Rejected]) -> Listed:
    """Return what is listed, sorted; raises DatasetError where a name occurs twice."""
    names.sort()
    for one, other in pairwise(names):
        if one == other:
            raise DatasetError(f"{path} holds {one} twice, so it is unclear which of the two is meant")
    return Listed(tuple(names), tuple(rejected))


class _Forward:
    """A file that refuses to be read beyond a number of bytes, or too many at once, before it does so.

    tarfile reads a long name or an extended header in one piece whose size the archive states.
    """

    def __init__(self, file: IO[bytes], path: Path, limits: Limits) -> None:
        self._file = file
        self._path = path
        self._piece = limits.file_bytes
        # Each file costs a header and padding next to its bytes, and some an extended header of a few blocks.
        self._end = limits.total_bytes + limits.members * 8 * _TAR_BLOCK

    def read(self, size: int = -1) -> bytes:
        self._check(self._file.tell() + max(size, 0))
        if size < 0 or size > self._piece:
            raise DatasetError(f"{self._path} holds a piece larger than {self._piece} bytes, the limit for one file")
        return self._file.read(size)

    def seek(self, position: int) -> int:
        self._check(position)
        return self._file.seek(position)

    def tell(self) -> int:
        return self._file.tell()

    def _check(self, position: int) -> None:
        if position > self._end:
            raise DatasetError(f"{self._path} unpacks to more than {self._end} bytes, the limit for a whole archive")


@contextmanager
def _open_tar(path: Path, limits: Limits) -> Iterator[tarfile.TarFile]:
    with _clear_errors(path), path.open("rb") as raw:
        zipped = raw.read(2) == GZIP_MAGIC
        raw.seek(0)
        plain: IO[bytes] = gzip.GzipFile(fileobj=raw, mode="rb") if zipped else raw  # type: ignore[assignment]  # it reads like one
        forward = _Forward(plain, path, limits)
        with tarfile.open(fileobj=forward, mode="r:") as archive:  # type: ignore[call-overload]  # read, seek, tell are all it uses
            yield archive


def _tar_files(path: Path, archive: tarfile.TarFile, quota: Quota) -> Iterator[tuple[str, tarfile.TarInfo]]:
    """Yield name (empty where it is odd) and header of each plain file.

    Raises DatasetError for links, devices, damage, or too many headers.
    """
    end = 0
    for count, info in enumerate(archive, start=1):
        quota.check_entries(count)
        # Where the next header is sought before this one's end, the archive would be read round and round.
        if info.size < 0 or archive.offset < info.offset_data:
            raise DatasetError(f"{path} is damaged or cut short: {shown(info.name)} states a negative size")
        end = info.offset_data + (-(-info.size // _TAR_BLOCK) * _TAR_BLOCK if info.isreg() else 0)
        # A folder's own entry may be called "./", which names nothing.
        if info.isdir() and info.name in (".", ""):
            continue
        if is_litter(info.name):
            continue
        name = archived_name(path.name, info.name)
        if info.isdir():
            continue
        if not info.isreg() or info.issparse():
            raise DatasetError(
                f"{path}: {info.name} is a link or a special file; unpack the archive and pass the folder"
            )
        yield name, info
    # tarfile takes any damaged header for the end of the archive.
    source = archive.fileobj
    if source is None or source.seek(end) != end or source.read(_TAR_BLOCK) != bytes(_TAR_BLOCK):
        raise DatasetError(f"{path} is damaged or cut short: no end of the archive after byte {end}")
