"""The machine's own ceiling: the network's convolutions and matrix products alone; `ceiling.py PRECISION THREADS`.

It answers each line on stdin with images a second: what a training step would reach if nothing but these had to be
computed (forward, and the gradients by inputs and by weights; the first layer's input needs none), and a prediction.
"""

import sys
import time
from collections.abc import Callable

from turns import ready, say, told_to_go

from model.engine.device import configure
from model.network.layers import Conv2D, Dense
from model.network.paper import paper_network

BATCH, REPEATS = 32, 3


def main(precision: str, threads: int) -> None:
    """Serve measurements until stdin is closed."""
    configure(threads)
    training, prediction = _workloads(precision)
    training(), prediction()
    ready()
    while told_to_go():
        say({"training": _images_a_second(training), "prediction": _images_a_second(prediction)})


def _workloads(precision: str) -> tuple[Callable[[], object], Callable[[], object]]:
    import tensorflow as tf

    forward: list[Callable[[], tf.Tensor]] = []
    backward: list[Callable[[], tf.Tensor]] = []
    for step in paper_network().steps:
        match step.layer:
            case Conv2D() as layer:
                _add_convolution(tf, precision, step, layer, forward, backward)
            case Dense() as layer:
                values = tf.ones((BATCH, *step.input_shape))
                kernel, gradient = tf.ones((*step.input_shape, layer.units)), tf.ones((BATCH, layer.units))
                forward.append(lambda a=values, b=kernel: tf.matmul(a, b))
                backward.append(lambda a=gradient, b=kernel: tf.matmul(a, b, transpose_b=True))
                backward.append(lambda a=values, b=gradient: tf.matmul(a, b, transpose_a=True))
    # The sum of one number of each keeps TensorFlow from leaving any of them out.
    run = lambda operations: tf.function(  # noqa: E731 - two of a kind
        lambda: tf.add_n([tf.cast(tf.reshape(operation(), (-1,))[0], tf.float32) for operation in operations])
    )
    training, prediction = run(forward + backward), run(forward)
    return lambda: training().numpy(), lambda: prediction().numpy()


def _add_convolution(tf, precision, step, layer, forward, backward) -> None:  # type: ignore[no-untyped-def]
    values = tf.cast(tf.random.uniform((BATCH, *step.input_shape)), precision)
    kernel = tf.cast(tf.random.uniform((*layer.kernel_size, step.input_shape[-1], layer.filters)), precision)
    gradient = tf.cast(tf.random.uniform((BATCH, *step.output_shape)), precision)
    how = {"strides": [1, 1, 1, 1], "padding": "VALID"}
    forward.append(lambda: tf.nn.conv2d(values, kernel, 1, "VALID"))
    backward.append(
        lambda: tf.raw_ops.Conv2DBackpropFilter(input=values, filter_sizes=kernel.shape, out_backprop=gradient, **how)
    )
    if step.index:
        backward.append(
            lambda: tf.raw_ops.Conv2DBackpropInput(
                input_sizes=values.shape, filter=kernel, out_backprop=gradient, **how
            )
        )


def _images_a_second(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    for _ in range(REPEATS):
        work()
    return BATCH * REPEATS / (time.perf_counter() - start)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
