"""The container files, without an engine: valid, without drift from the code, and with what keeps containers apart."""

import re
import subprocess
import sys
import tomllib
from fnmatch import fnmatch

import pytest
from sqlalchemy import make_url

from search.run.launcher import STOP_SECONDS
from search.settings.settings import Settings
from search.settings.sources import PREFIX
from search.settings.table import settings_variables, written
from tests.compose import ROOT, composed, instruction, instructions, postgres_variables, service, variables_of

EXAMPLE = (ROOT / ".env.example").read_text()
VARIABLES = variables_of(EXAMPLE)
SERVICES = composed(VARIABLES)["services"]
OURS = sorted(set(SERVICES) - {"database"})


def test_the_compose_file_is_valid_by_the_compose_specification():
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    ended = subprocess.run([*command, "docker-compose.yml"], cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_every_setting_is_described_in_the_example_as_it_is():
    assert written(EXAMPLE) == EXAMPLE, "run: make settings"
    assert settings_variables() in EXAMPLE
    assert all(settings_variables().count(f"\n#{PREFIX}{name.upper()}=") == 1 for name in Settings.model_fields)


def test_the_example_and_the_compose_file_name_no_setting_that_is_none():
    compose = (ROOT / "docker-compose.yml").read_text()
    named = re.findall(rf"^ *#?{PREFIX}(\w+)[=:]", EXAMPLE + compose, re.MULTILINE)
    assert {name.lower() for name in named} <= set(Settings.model_fields)


def test_every_variable_of_the_compose_file_is_in_the_example_with_the_same_default():
    used = dict(re.findall(r"\$\{(\w+):-([^}]*)\}", (ROOT / "docker-compose.yml").read_text()))
    assert used == {name: VARIABLES[name] for name in used}
    ours = {name for name in VARIABLES if not name.startswith(PREFIX)}
    assert ours == {*used, "COMPOSE_PROFILES"}


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_may_do_nothing_but_its_work(name):
    each = SERVICES[name]
    assert (each["init"], each["read_only"], each["cap_drop"]) == (True, True, ["ALL"])
    assert each["security_opt"] == ["no-new-privileges:true"]
    assert {"cpus", "memory", "pids"} == set(each["deploy"]["resources"]["limits"])
    assert not {"privileged", "network_mode", "pid", "cap_add"} & set(each)


def test_one_port_is_published_and_on_the_loopback_interface_alone():
    published = {name: each["ports"] for name, each in SERVICES.items() if "ports" in each}
    assert published == {"dashboard": ["127.0.0.1:8080:8080"]}


def test_the_image_has_a_user_of_its_own_and_stops_as_by_ctrl_c():
    assert instruction("USER") == "10001:10001"
    assert instruction("STOPSIGNAL") == "SIGINT"
    assert [name for name in OURS if "user" in SERVICES[name] or "stop_signal" in SERVICES[name]] == []


def test_nothing_is_installed_in_the_images_last_stage():
    runs = " ".join(text for word, text in instructions() if word == "RUN")
    assert not re.search(r"\b(pip|apt|apt-get|gcc|make)\b", runs)
    assert [text for word, text in instructions() if word == "COPY"] == ["--from=build /opt/agesearch /opt/agesearch"]


def test_a_worker_has_time_to_give_its_trial_back():
    graces = {int(SERVICES[name]["stop_grace_period"].removesuffix("s")) for name in OURS}
    assert min(graces) > STOP_SECONDS + 10


@pytest.mark.parametrize(("device", "suffix"), [("cpu", ""), ("gpu", "-gpu")])
def test_a_device_has_its_init_and_its_worker_and_the_dashboard_waits_for_either(device, suffix):
    init, worker = SERVICES[f"init{suffix}"], SERVICES[f"worker{suffix}"]
    for each in (init, worker):
        assert (each["profiles"], each["image"], each["build"]["args"]) == (
            [device],
            f"agesearch:{device}",
            {"DEVICE": device},
        )
        assert ("devices" in each["deploy"]["resources"].get("reservations", {})) == (device == "gpu")
    assert init["depends_on"] == {"database": {"condition": "service_healthy", "required": False}}
    assert worker["depends_on"] == {f"init{suffix}": {"condition": "service_completed_successfully"}}
    waits = SERVICES["dashboard"]["depends_on"][f"init{suffix}"]
    assert waits == {"condition": "service_completed_successfully", "required": False}


def test_every_service_but_the_one_that_ends_at_once_says_whether_it_is_well():
    without = [name for name in SERVICES if SERVICES[name].get("healthcheck", {}).get("disable")]
    assert without == ["init", "init-gpu"]
    assert service("worker", VARIABLES).health == ("agesearch", "status")
    assert "/healthz" in service("dashboard", VARIABLES).health[-1]
    assert SERVICES["database"]["healthcheck"]["test"][1] == "pg_isready"


def test_the_database_has_a_volume_and_its_password_from_a_file():
    database = SERVICES["database"]
    assert database["profiles"] == ["postgres"]
    assert database["volumes"] == ["database:/var/lib/postgresql/data"]
    assert database["secrets"] == ["database_password"]
    assert [key for key in database["environment"] if "PASSWORD" in key] == ["POSTGRES_PASSWORD_FILE"]


def test_what_the_example_sets_for_the_database_is_what_the_compose_file_has():
    database, address = SERVICES["database"]["environment"], make_url(postgres_variables()["AGESEARCH_STORAGE"])
    assert address.drivername == "postgresql+psycopg"
    assert (address.host, address.username, address.database) == (
        "database",
        database["POSTGRES_USER"],
        database["POSTGRES_DB"],
    )
    for name in OURS:
        secrets = service(name, VARIABLES).mounts
        assert {postgres_variables()["AGESEARCH_STORAGE_PASSWORD_FILE"]} <= set(secrets)


def sent(path):
    """Tell whether a file is among what images are built from: by .dockerignore, whose last fitting line counts."""
    last = True
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        if line and not line.startswith("#"):
            pattern = line.removeprefix("!")
            parents = [path, *list(map(str, path.parents))[:-1]]
            names = {str(each).rsplit("/", 1)[-1] for each in parents}
            deep = pattern.startswith("**/")
            if any(fnmatch(str(each), pattern.removeprefix("**/")) for each in (names if deep else parents)):
                last = line.startswith("!")
    return last


def test_all_of_the_code_and_nothing_but_the_code_goes_into_the_image():
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    paths = [ROOT.joinpath(name).relative_to(ROOT) for name in tracked.stdout.split("\0") if name]
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]["find"]
    rooms = {pattern.removesuffix("*") for pattern in packages["include"]}
    code = {path for path in paths if path.parts[0] in rooms}
    single = ("pyproject.toml", "constraints.txt", "README.md", "LICENSE", "agesearch.py")
    files = {path for path in paths if str(path) in single}
    assert {path for path in paths if sent(path)} == code | files
    copied = re.findall(r"^COPY (?!--from)(.*) \S+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert set(" ".join(copied).split()) == rooms | {str(path) for path in files}


@pytest.mark.parametrize(
    "name",
    [".env", "secrets/dashboard_password", "faces/faces.h5", "runs/study.db", ".git/config", "data/__pycache__/x.pyc"],
)
def test_what_is_private_or_made_here_does_not_go_into_the_image(name):
    assert not sent(ROOT.joinpath(name).relative_to(ROOT))


@pytest.mark.parametrize("name", [".env", "secrets/dashboard_password", "faces/faces.h5"])
def test_what_is_private_is_not_committed(name):
    ended = subprocess.run(["git", "check-ignore", "--quiet", name], cwd=ROOT)
    assert ended.returncode == 0
