"""The paper's network as a user would write it with Keras."""

import keras
from keras import layers


def build(learning_rate: float, l2: float) -> keras.Model:
    """Build and compile it."""
    penalty = keras.regularizers.L2(l2)
    model = keras.Sequential([keras.Input((91, 91, 1))])
    for block in ((32, 32), (64, 64), (128, 128, 128)):
        for filters in block:
            _convolve(model, filters, 3, penalty)
        model.add(layers.MaxPooling2D())
    _convolve(model, 256, 3, penalty)
    _convolve(model, 512, 1, penalty)
    model.add(layers.MaxPooling2D())
    model.add(layers.Flatten())
    for units in (256, 128, 64):
        model.add(layers.Dense(units, "relu", kernel_regularizer=penalty, bias_regularizer=penalty))
    model.add(layers.Dense(1, kernel_regularizer=penalty, bias_regularizer=penalty))
    model.compile(optimizer=keras.optimizers.Adam(learning_rate), loss="mae", metrics=["mae"])
    return model


def _convolve(model: keras.Model, filters: int, kernel: int, penalty: keras.Regularizer) -> None:
    model.add(layers.Conv2D(filters, kernel, kernel_regularizer=penalty, bias_regularizer=penalty))
    model.add(layers.BatchNormalization())
    model.add(layers.Activation("relu"))
