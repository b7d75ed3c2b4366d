from search.counting import budget


def test_a_budget_is_told_in_images_and_epochs():
    assert budget(500, 1) == "500 images, 1 epoch"
