"""The text table of a network."""

from model.network.layers import AveragePool, BatchNorm, Conv2D, Dense, Dropout, Flatten
from model.network.network import Network
from model.network.summary import summary, summary_rows

NETWORK = Network(
    (Conv2D(2, batch_norm=True), AveragePool(), BatchNorm(), Dropout(0.5), Flatten(), Dense(1)), (6, 6, 1)
)

TABLE = """\
Layer (type)                                Output Shape     Param #
--------------------------------------------------------------------
conv2d_0 (Conv2D)                           (None, 4, 4, 2)       20
batch_normalization_0 (BatchNormalization)  (None, 4, 4, 2)        8
activation_0 (Activation)                   (None, 4, 4, 2)        0
average_pooling2d_1 (AveragePooling2D)      (None, 2, 2, 2)        0
batch_normalization_2 (BatchNormalization)  (None, 2, 2, 2)        8
dropout_3 (Dropout)                         (None, 2, 2, 2)        0
flatten_4 (Flatten)                         (None, 8)              0
dense_5 (Dense)                             (None, 1)              9
--------------------------------------------------------------------
Total params: 45
Trainable params: 37
Non-trainable params: 8"""


def test_a_network_is_printed_as_a_table_with_its_totals() -> None:
    assert summary(NETWORK) == TABLE


def test_the_rows_add_up_to_the_networks_parameters() -> None:
    assert sum(row.parameters for row in summary_rows(NETWORK)) == NETWORK.parameters


def test_totals_have_thousands_separators() -> None:
    wide = Network((Flatten(), Dense(1000), Dense(1)), (10, 10, 1))
    assert "Total params: 102,001" in summary(wide)
