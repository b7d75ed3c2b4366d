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


def file_system_of(path: Path, mountinfo: str | None = None) -> str:
    """Return the type of the file system that `path`, or the nearest parent of it that exists, lies on.

    `mountinfo` is the text of /proc/self/mountinfo (see proc(5)), read now if not given.
    """
    text = Path("/proc/self/mountinfo").read_text() if mountinfo is None else mountinfo
    resolved = Path(os.path.realpath(path))  # which does not fail for a link to itself
    mounts = [_mount(line) for line in text.splitlines()]
    holding = [(point, kind) for point, kind in mounts if resolved.is_relative_to(point)]
    # Of two mounts on one point the later hides the earlier, and max() would keep the earlier.
    return max(reversed(holding), key=lambda mount: len(mount[0].parts))[1]


def _mount(line: str) -> tuple[Path, str]:
    before, _, after = line.partition(" - ")
    point = re.sub(r"\\([0-7]{3})", lambda escape: chr(int(escape[1], 8)), before.split()[4])
    return Path(point), after.split()[0]
