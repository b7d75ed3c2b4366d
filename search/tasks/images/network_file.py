"""The user's own network: read from a TOML file, kept with the study as text, and written into what it exports."""

import json
import tomllib
from pathlib import Path
from typing import Any

from model.network.description import layers_from, tables_of
from model.network.layers import Layer
from search.errors import SearchError


def read_network(path: Path) -> str:
    """Return the network that a TOML file describes by `[[layers]]`, as the text that a study keeps.

    Raises SearchError where the file is missing or no TOML, or ModelError where it describes no layers.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SearchError(f"the network {path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise SearchError(f"the network {path} is not TOML: {error}") from error
    if unknown := set(document) - {"layers"}:
        raise SearchError(f"the network {path} has an unknown table {min(unknown)!r}; only [[layers]] is known")
    return network_text(document.get("layers"))


def network_text(tables: object) -> str:
    """Return the text that a study keeps of the layers in `tables`; raises ModelError where they describe none."""
    return json.dumps(tables_of(layers_from(tables)))


def layers_of(network: str | None) -> tuple[Layer, ...] | None:
    """Return the layers of a study's network; None where it is the paper's."""
    return None if network is None else layers_from(json.loads(network))


def network_tables(network: str | None) -> list[dict[str, Any]]:
    """Return the network as tables for a TOML file; none where it is the paper's."""
    return [] if network is None else json.loads(network)
