"""Which file system a path lies on, and whether several machines may write to it."""

import os
import re
from pathlib import Path

NETWORK_FILE_SYSTEMS = frozenset(
    {
        "afs",
        "beegfs",
        "ceph",
        "cifs",
        "fuse.ceph",
        "fuse.davfs2",
        "fuse.gcsfuse",
        "fuse.glusterfs",
        "fuse.juicefs",
        "fuse.rclone",
        "fuse.s3fs",
        "fuse.sshfs",
        "glusterfs",
        "gpfs",
        "lustre",
        "nfs",
        "nfs4",
        "ocfs2",
        "orangefs",
        "smb3",
        "smbfs",
    }
)
"""Types, as Linux names them, on which the file locks that SQLite relies on are missing or not to be trusted."""


def file_system_of(path: Path, mountinfo: bytes | None = None) -> str:
    """Return the type of the file system that `path`, or the nearest parent of it that exists, lies on.

    `mountinfo` is what /proc/self/mountinfo holds (see proc(5)), read now if not given.
    """
    content = Path("/proc/self/mountinfo").read_bytes() if mountinfo is None else mountinfo
    resolved = Path(os.path.realpath(path))  # which does not fail for a link to itself
    # Names may be any bytes, of which only spaces, tabs, line feeds and backslashes are escaped.
    mounts = [_mount(line) for line in content.split(b"\n") if line]
    holding = [(point, kind) for point, kind in mounts if resolved.is_relative_to(point)]
    # Of two mounts on one point the later hides the earlier, and max() would keep the earlier.
    return max(reversed(holding), key=lambda mount: len(mount[0].parts))[1]


def _mount(line: bytes) -> tuple[Path, str]:
    before, _, after = line.partition(b" - ")
    point = re.sub(rb"\\([0-3][0-7]{2})", lambda escape: bytes([int(escape[1], 8)]), before.split(b" ")[4])
    return Path(os.fsdecode(point)), os.fsdecode(after.split(b" ")[0])
