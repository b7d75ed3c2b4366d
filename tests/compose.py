"""docker-compose.yml and Dockerfile, read as their programs read them, as far as the two files go."""

import re
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
VARIABLE = re.compile(r"\$\{(\w+):-([^}]*)\}")


@dataclass(frozen=True, slots=True)
class Service:
    """A service whose image is ours: what its container runs, with which environment, and what it sees of the host."""

    command: tuple[str, ...]
    environment: dict[str, str]
    mounts: dict[str, str]
    health: tuple[str, ...] | None


def composed(variables):
    """Return docker-compose.yml with `variables`, such as those of .env, filled in."""

    def filled(value):
        if isinstance(value, dict):
            return {key: filled(each) for key, each in value.items()}
        if isinstance(value, list):
            return [filled(each) for each in value]
        text = (
            VARIABLE.sub(lambda found: variables.get(found[1]) or found[2], value) if isinstance(value, str) else value
        )
        assert "$" not in str(text), f"{value!r} is of a form that this reader does not know"
        return text

    return filled(yaml.safe_load((ROOT / "docker-compose.yml").read_text()))


def variables_of(text):
    """Return what an environment file sets."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def postgres_variables():
    """Return what .env.example says to set with the profile postgres."""
    lines = (ROOT / ".env.example").read_text().partition("# With the profile postgres")[2].splitlines()[1:]
    return variables_of("\n".join(line.removeprefix("#") for line in lines[: lines.index("")]))


def instructions(last=True):
    """Return the Dockerfile's last stage, or all of it, as pairs of an instruction and its text."""
    joined = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    lines = [line.split(" ", 1) for line in joined.splitlines() if line and not line.startswith("#")]
    stage = max(index for index, (word, _) in enumerate(lines) if word == "FROM")
    return [(word, text.strip()) for word, text in lines[stage if last else 0 :]]


def instruction(word):
    """Return the text of an instruction that the last stage has once."""
    (text,) = [text for each, text in instructions() if each == word]
    return text


def base_image():
    """Return the name of the image that ours is based on."""
    arguments, *_ = [text for word, text in instructions(last=False) if word == "ARG"]
    name, _, default = arguments.partition("=")
    return instruction("FROM").replace(f"${{{name}}}", default)


def image_environment():
    """Return the environment that the image gives to whatever runs in it."""
    return dict(pair.split("=", 1) for pair in instruction("ENV").split())


def service(name, variables):
    """Return a service of ours as `variables` make it."""
    document = composed(variables)
    found = document["services"][name]
    assert found["env_file"] == ".env"
    health = found.get("healthcheck", {"test": ["CMD", *listed(instruction("HEALTHCHECK").partition("CMD ")[2])]})
    return Service(
        command=(*listed(instruction("ENTRYPOINT")), *found["command"]),
        environment={**variables, **found.get("environment", {})},
        mounts=_mounts(found, document["secrets"]),
        health=None if health.get("disable") else tuple(health["test"][1:]),
    )


def listed(text):
    """Return the words of an instruction in brackets."""
    return yaml.safe_load(text)


def _mounts(found, secrets):
    """Return what is where in the container: a volume's name, a folder or file of the host, or "" for tmpfs."""
    mounts = dict.fromkeys(found["tmpfs"], "")
    for each in found["volumes"]:
        source, target = each.split(":") if isinstance(each, str) else (each["source"], each["target"])
        mounts[target] = source
    return mounts | {f"/run/secrets/{name}": secrets[name]["file"] for name in found["secrets"]}
