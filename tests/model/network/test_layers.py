from model.network.layers import Conv2D


def test_a_kernel_given_as_one_number_is_kept_as_a_pair() -> None:
    assert Conv2D(1, kernel=5) == Conv2D(1, kernel=(5, 5))
    assert Conv2D(1, kernel=5).kernel_size == (5, 5)
