"""`agesearch summary`: a network layer by layer, and its drawing."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from search.cli.options import AsJson, may_force, takes_settings
from search.cli.printing import answer, answer_json
from search.settings.settings import Settings

if TYPE_CHECKING:
    from model.network.network import Network


@takes_settings("data", "network")
@may_force
def summary(
    settings: Settings,
    recipe: Annotated[str, typer.Option(help="The recipe whose network it is: default, paper, strong, light.")] = (
        "default"
    ),
    figure: Annotated[Path | None, typer.Option(help="Draw the network (Figure 4) to this PNG.")] = None,
    as_json: AsJson = False,
) -> None:
    """Print a network, the paper's or your own, layer by layer, as the paper's appendix does, and draw it."""
    from data.files import Kind, check_replaceable, write_bytes
    from model.figures.network_figure import draw_network
    from model.network.summary import summary as listing
    from model.network.summary import summary_rows

    if figure:
        check_replaceable(figure, Kind.FIGURE, "--figure")
    network = _network(settings, recipe)
    if figure:
        write_bytes(figure, draw_network(network), "--figure")
    if as_json:
        counts = {"parameters": network.parameters, "trainable_parameters": network.trainable_parameters}
        answer_json({"layers": summary_rows(network), **counts})
        return
    answer(listing(network))
    if figure:
        answer(f"drawing: {figure}")


def _network(settings: Settings, recipe: str) -> "Network":
    """Return the network of a recipe, or the user's own, for the dataset's images or the paper's."""
    from data.dataset import inspect_dataset
    from model.network.paper import PAPER_SHAPE
    from search.tasks.images.network_file import read_network
    from search.tasks.images.variation import recipe_for, varied

    own = None if settings.network is None else read_network(settings.network)
    shape = PAPER_SHAPE if settings.data is None else inspect_dataset(settings.data).image_shape
    return varied(recipe_for(recipe, own), shape, {}).network()
