"""The dashboard behind the real nginx, with TLS and under a path: the example of docs/dashboard.md."""

import gzip
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import urllib.request
from getpass import getuser
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urljoin

import pytest

from tests.integration import fake_study as fake
from tests.waiting import until

NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
DOCS = Path(__file__).parents[2] / "docs" / "dashboard.md"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(NGINX is None, reason="no nginx is installed: apt-get install nginx-light"),
    pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl is installed: apt-get install openssl"),
]


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


@pytest.fixture
def started(tmp_path):
    """Start programs, and end them with the test."""
    running = []

    def start(name, *command):
        with (tmp_path / f"{name}.log").open("wb") as log:
            running.append(subprocess.Popen(command, stdout=log, stderr=log, cwd=Path(__file__).parents[2]))

    yield start
    for process in running:
        process.terminate()
        process.wait(30)


def certificate(folder):
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=ages.example.org",
    ]
    command += ["-keyout", folder / "ages.key", "-out", folder / "ages.pem"]
    subprocess.run(command, check=True, capture_output=True)


def configuration(folder, port, behind, slash):
    """The example with the test's ports and files in it, and with a path to pass on or without."""
    server = re.search(r"```nginx\n(.*?)```", DOCS.read_text(), re.DOTALL)[1]
    for old, new in {
        "443 ssl": f"127.0.0.1:{port} ssl",
        "/etc/ssl/": f"{folder}/",
        "127.0.0.1:8080": f"127.0.0.1:{behind}{slash}",
    }.items():
        assert old in server
        server = server.replace(old, new)
    temporary = "".join(
        f"{of}_temp_path {folder}/{of};\n" for of in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    # As ourselves: else root's nginx may not write what a slow client waits for below the folder.
    head = (
        f"user {getuser()};\ndaemon off;\npid {folder}/pid;\nerror_log stderr;\nevents {{}}\nhttp {{\naccess_log off;\n"
    )
    (folder / "nginx.conf").write_text(f"{head}{temporary}{server}}}\n")
    return folder / "nginx.conf"


@pytest.fixture(params=["", "/"], ids=["path passed on", "path taken away"])
def ask(request, tmp_path, started):
    """Ask for an address below the proxy: gives the status, the final address, and the content."""
    port, behind = free_port(), free_port()
    study = fake.new_study(tmp_path, fake.spec_of(2))
    fake.work_to_the_end(study.storage.url)
    certificate(tmp_path)
    options = ["--dashboard-path", "/hpo", "--dashboard-hosts", "ages.example.org", "--port", str(behind)]
    started("dashboard", sys.executable, "-m", "search", "dashboard", "--storage", study.storage.url, *options)
    started("nginx", NGINX, "-p", tmp_path, "-c", configuration(tmp_path, port, behind, request.param))
    context = ssl.create_default_context(cafile=str(tmp_path / "ages.pem"))
    context.check_hostname = False  # it is asked for by its address
    opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=context))

    def get(path, **headers):
        asked = urllib.request.Request(  # noqa: S310  (the address is the test's own)
            urljoin(f"https://127.0.0.1:{port}", path), headers={"Host": f"ages.example.org:{port}", **headers}
        )
        with opener.open(asked, timeout=30) as answer:
            return answer.status, answer.url, answer.headers, answer.read()

    def answers():
        try:
            return get("/hpo/healthz")[0] == 200
        except URLError:
            return False

    until(answers, "the dashboard behind nginx", 90)
    return get


def test_pages_and_assets_are_all_there_below_the_path(ask):
    status, _, headers, page = ask("/hpo/dashboard")
    assert (status, headers.get_content_type()) == (200, "text/html")
    linked = re.findall(r'(?:src|href)="([^"]+)"', page.decode())
    assert len(linked) == 2
    paths = [*linked, "/hpo/dashboard/studies/1", "/hpo/api/meta", "/hpo/api/studies", "/hpo/api/studies/1?after=0"]
    assert {path: ask(path)[0] for path in paths} == dict.fromkeys(paths, 200)
    assert all(path.startswith("/hpo/") for path in paths)


@pytest.mark.parametrize("path", ["/hpo", "/hpo/"])
def test_the_root_leads_to_the_page_with_the_proxys_scheme_and_path(ask, path):
    status, url, _, _ = ask(path)
    assert status == 200
    assert url.startswith("https://")
    assert url.endswith("/hpo/dashboard")


def test_the_script_asks_below_the_path_packed_or_not(ask):
    plain = ask("/hpo/static/bundle.js")[3]
    headers, packed = ask("/hpo/static/bundle.js", **{"Accept-Encoding": "gzip"})[2:]
    assert headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed) == plain
    assert b'url_prefix:"/hpo/dashboard"' in plain
