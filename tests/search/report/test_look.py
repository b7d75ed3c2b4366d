from search.report.look import colour_range, name_of


def test_parameters_are_named_as_people_write_them():
    assert [name_of(name) for name in ("learning_rate", "l2", "augment_strength")] == [
        "learning rate",
        "L2",
        "augment strength",
    ]


def test_a_few_bad_trials_do_not_take_the_colours_from_the_rest():
    found = colour_range([9.0, *[10.0 + step / 10 for step in range(20)], 5000.0])
    assert (found.vmin, found.vmax) == (9.0, 11.8)


def test_errors_all_alike_have_a_range_of_colours_too():
    found = colour_range([9.0, 9.0])
    assert (found.vmin, found.vmax) == (9.0, 10.0)
