"""Builds the image and runs the services of docker-compose.yml in it: `make image-test`, as root, with buildah.

Needs no container engine, and no registry: see tests/image/base. Prints what was done, with times and the image's size.
Commands, environment, user, volumes and secrets are those of the files. What is an engine's business is not seen here:
limits, a read-only root, health checks on a schedule, the order of services.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

from tests.compose import ROOT, base_image, service, variables_of

BUDGET = {
    "AGESEARCH_DATA": "/runs/faces.h5",
    "AGESEARCH_TRIALS": "4,2",
    "AGESEARCH_IMAGES": "32",
    "AGESEARCH_EPOCHS": "1",
    "AGESEARCH_FINALISTS": "0",
    "AGESEARCH_PRECISION": "float32",
    "AGESEARCH_WORKERS": "2",
}
VARIABLES = variables_of((ROOT / ".env.example").read_text()) | BUDGET
USER = 10001
OURS = ("data", "model", "search")
# A mirror of the packages, and who is trusted to be it, are this machine's own business.
BORROWED = ("/etc/pip.conf", "/etc/ssl/certs")


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--device", choices=("cpu", "gpu"), default="cpu")
    device = arguments.parse_args().device
    image = f"agesearch:{device}"
    missing = [name for name in ("buildah", "debootstrap", "unshare", "nsenter", "ip") if not shutil.which(name)]
    if missing or os.geteuid() != 0:
        sys.exit(f"this takes root and Debian's {', '.join(missing) or 'buildah'}")
    with step("the base image"):
        run(ROOT / "tests/image/base", base_image())
    with step(f"build of {image}"):
        build(image, device)
    say(f"{image}: {run('buildah', 'images', '--format', '{{.Size}}', image).strip()}")
    with container(image) as box:
        check_the_content(box)
        check_the_services(box)


def build(image, device):
    """Build the image; no network but the host's, no registry."""
    borrowed = [f"--volume={path}:{path}:ro" for path in BORROWED if Path(path).exists()]
    flags = ("--isolation=chroot", "--pull-never", "--format=docker", "--layers", f"--build-arg=DEVICE={device}")
    run("buildah", "bud", *flags, *borrowed, f"--tag={image}", ROOT)


class Box:
    """A container of the image, with folders of the host as its volumes, secrets and temporary folder."""

    def __init__(self, name, folder):
        self.name, self.folder = name, folder

    def command(self, service_name, words=None):
        """Return the command line that runs a service, or `words` in its place."""
        each = service(service_name, VARIABLES)
        environment = [f"--env={key}={value}" for key, value in each.environment.items()]
        volumes = [f"--volume={self.folder / target.lstrip('/')}:{target}" for target in each.mounts]
        words = words or each.command
        return ("buildah", "run", "--isolation=chroot", *environment, *volumes, self.name, "--", *words)

    def run(self, service_name, words=None, before=()):
        return run(*before, *self.command(service_name, words))


@contextmanager
def container(image):
    """Make a container and its folders, and remove both in the end."""
    folder = Path(tempfile.mkdtemp())
    name = run("buildah", "from", "--pull-never", image).strip()
    try:
        for target, source in service("dashboard", VARIABLES).mounts.items():
            path = folder / target.lstrip("/")
            if "/secrets/" in target:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(f"the {path.name}\n")
            else:
                path.mkdir(parents=True)
                if source in ("", "runs"):
                    os.chown(path, USER, USER)
        folder.chmod(0o755)
        yield Box(name, folder)
    finally:
        run("buildah", "rm", name)
        shutil.rmtree(folder)


def check_the_content(box):
    """All of the code is in the image and nothing with which to build; the volume's folder is the user's."""
    with step("what is in the image"):
        code = (
            "import os, data, model, search; print(*(os.path.dirname(each.__file__) for each in (data, model, search)))"
        )
        folders = dict(zip(OURS, box.run("worker", ("python", "-P", "-c", code)).split(), strict=True))
        for room, folder in folders.items():
            assert folder.startswith("/opt/agesearch/"), folder
            listing = box.run("worker", ("find", folder, "-type", "f", "-not", "-name", "*.pyc", "-printf", "%P\n"))
            assert set(listing.split()) == files_of(room), set(listing.split()) ^ files_of(room)
        for tool in ("gcc", "cc", "make", "git"):
            assert not run(
                "buildah", "run", "--isolation=chroot", box.name, "--", "sh", "-c", f"command -v {tool} || true"
            )
        bare = ("buildah", "run", "--isolation=chroot", box.name, "--")
        assert run(*bare, "id", "-u").strip() == str(USER)
        assert run(*bare, "stat", "-c", "%u", "/runs").strip() == str(USER)
        everywhere = ("buildah", "run", "--isolation=chroot", "--user=root", box.name, "--", "find", "/", "-xdev")
        assert run(*everywhere, "-user", str(USER), "-not", "-path", "/proc/*").split() == ["/runs"]
        assert run(*bare, "sh", "-c", "command -v agesearch").strip() == "/opt/agesearch/bin/agesearch"


def files_of(room):
    """Return the files of a room that are tracked, relative to it."""
    names = run("git", "-C", ROOT / room, "ls-files").split()
    return set(names)


def check_the_services(box):
    """Everything from a dataset to an export, as containers run it."""
    with step("a synthetic dataset"):
        box.run("init", ("agesearch", "data", "build", "synthetic", "--images", "64,32,16", "--out", "runs/faces.h5"))
    with step("init"):
        say(box.run("init"))
    with step("worker, two processes"):
        answer = box.run("worker")
        say(answer)
    assert "stage 1: 4/4 finished" in answer
    assert "stage 2: 2/2 finished" in answer
    with step("the worker's health check"):
        assert box.run("worker", service("worker", VARIABLES).health).count("stopped") == 2
    with step("the dashboard and its health check"):
        check_the_dashboard(box)
    with step("export"):
        say(box.run("worker", ("agesearch", "export", "--out", "runs/best.toml")))
    assert "[hyperparameters]" in (box.folder / "runs/best.toml").read_text()
    owners = {path.stat().st_uid for path in (box.folder / "runs").rglob("*")}
    assert owners == {USER}, owners


def check_the_dashboard(box):
    """It is well and asks for its password, in a network of its own, as a container's is."""
    alone = ("unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh")
    with subprocess.Popen([*alone, *box.command("dashboard")], stdout=subprocess.PIPE, text=True) as dashboard:
        try:
            assert "http://0.0.0.0:8080/" in dashboard.stdout.readline()
            within = ("nsenter", f"--net=/proc/{dashboard.pid}/ns/net")
            box.run("dashboard", service("dashboard", VARIABLES).health, within)
            code = "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/')"
            refused = subprocess.run([*within, *box.command("dashboard", ("python", "-c", code))], capture_output=True)
            assert b"401" in refused.stderr, refused.stderr
        finally:
            dashboard.terminate()


@contextmanager
def step(what):
    """Say what is done, and how long it took."""
    began = time.monotonic()
    yield
    say(f"ok: {what}, {time.monotonic() - began:.0f} s")


def run(*command):
    """Run a command and return its output; end with what it said where it fails."""
    ended = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    if ended.returncode:
        line, said = " ".join(map(str, command)), (ended.stdout + ended.stderr)[-5000:]
        sys.exit(f"{line} ended with {ended.returncode}:\n{said}")
    return ended.stdout


def say(text):
    print(text.rstrip(), flush=True)


if __name__ == "__main__":
    main()
