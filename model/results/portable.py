"""What a `.keras` file says of its layers, cut down to what any Keras 3 needs to rebuild them."""

import inspect
import json
from typing import Any, Final

REDRAWN: Final = ("_initializer", "_regularizer", "_constraint")
"""How keys end of what matters to a training alone: the weights are in the file."""


NEEDED: Final = ("name", "dtype", "offset")
"""Keys that stay at their defaults, too: rescaling asks for its offset."""


def portable(config: str) -> str:
    """Return the `config.json` of a functional model without what newer versions of Keras alone understand.

    That is initialisers, keys at their defaults, and the shapes that layers were built for, which follow from the
    first one. The type is named by its name, as every version reads it.
    """
    model = json.loads(config)
    model["config"]["layers"] = [_layer(layer) for layer in model["config"]["layers"]]
    for side in ("input_layers", "output_layers"):  # a list of one, which alone Keras before 3.4 reads
        model["config"][side] = [model["config"][side]]
    for key in ("build_config", "compile_config"):
        model.pop(key, None)
    return json.dumps(model)


def _layer(layer: dict[str, Any]) -> dict[str, Any]:
    own, defaults = layer["config"], _defaults(layer["class_name"])
    kept = {
        key: value
        for key, value in own.items()
        if key in NEEDED or not (key.endswith(REDRAWN) or (key in defaults and _plain(defaults[key]) == value))
    }
    if not layer["module"].startswith("keras.layers"):
        kept.pop("name", None)  # an operation took none in older versions
    if isinstance(policy := kept.get("dtype"), dict):
        kept["dtype"] = policy["config"]["name"]
    return {key: value for key, value in layer.items() if key != "build_config"} | {"config": kept}


def _defaults(class_name: str) -> dict[str, Any]:
    """Return what a layer's settings are unless they are named: those of its class, and of every layer."""
    import keras

    made = getattr(keras.layers, class_name, None)  # an operation, such as a clip, has its own and no others
    if made is None:
        return {}
    own = {name: parameter.default for name, parameter in inspect.signature(made.__init__).parameters.items()}
    return {"trainable": True} | own | ({"activation": "linear"} if own.get("activation", 0) is None else {})


def _plain(default: Any) -> Any:
    """Return a default as JSON has it, where a tuple is a list."""
    return list(default) if isinstance(default, tuple) else default
