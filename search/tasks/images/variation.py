"""What parameters make of a recipe: the network, the augmentation and the weighting that they ask for."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from model.engine.setup import Augmentation
from model.network.layers import Dropout, Layer
from model.network.paper import PaperVariant
from model.training.recipe import Recipe, recipe_named
from search.errors import SearchError
from search.tasks.images.network_file import layers_of

NETWORK = ("width", "batch_norm", "dropout", "initializer")


def recipe_for(name: str, network: str | None) -> Recipe:
    """Return the recipe called `name`, with a study's network where it is not the paper's."""
    return replace(recipe_named(name), layers=layers_of(network))


def varied(recipe: Recipe, shape: tuple[int, int, int], params: Mapping[str, Any]) -> Recipe:
    """Return what `params` make of `recipe` for images of `shape`.

    Their names are those of `search.space.parameters`; experiments vary "recipe", "architecture" and "weighting" as
    well. What they do not name stays. Learning rate, L2 and batch size are no part of a recipe. Raises SearchError for
    what would be without effect on a network of the user's own.
    """
    named = {name: params[name] for name in NETWORK if params.get(name) is not None}
    if recipe.layers is not None:
        _require_effect(named, recipe.layers)
    if params.get("recipe") is not None:
        recipe = replace(recipe_named(params["recipe"]), layers=recipe.layers)
    if params.get("architecture") is not None:
        recipe = replace(recipe, architecture=params["architecture"])
    recipe = replace(recipe, variant=PaperVariant(input_shape=shape, **named))
    if params.get("augmentation") is not None:
        recipe = replace(recipe, augmentation=Augmentation().scaled(params["augmentation"]))
    if params.get("weighting") == "balanced":
        recipe = replace(recipe, balanced=True)
    return recipe


def _require_effect(named: Collection[str], layers: Sequence[Layer]) -> None:
    if own := {"width", "batch_norm"}.intersection(named):
        raise SearchError(
            f"{min(own)} can only be varied in the paper's network; leave {min(own)} out, or the network of your own"
        )
    if "dropout" in named and not any(isinstance(layer, Dropout) for layer in layers):
        raise SearchError("dropout is varied, but the network has no dropout layer; add one to it")
