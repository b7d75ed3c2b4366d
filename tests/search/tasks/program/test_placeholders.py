"""Placeholders of a command: which there may be, and what a trial makes of them."""

import pytest

from search.errors import SearchError
from search.tasks.program.placeholders import filled, require_placeholders, words_of


def test_a_command_line_is_split_as_a_shell_would():
    assert words_of("python 'my train.py' --lr {lr}") == ("python", "my train.py", "--lr", "{lr}")


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("", "command is empty"),
        ("sh 'train", "No closing quotation"),
        ("sh {lr", "expected '}'"),
        ("sh {}", "placeholder {}"),
        ("sh {lr:.3f}", "placeholder {lr:.3f}"),
        ("sh {lr!r}", "placeholder {lr!r}"),
        ("sh {lr.real}", "placeholder {lr.real}"),
    ],
)
def test_what_is_no_command_line_is_refused(command, said):
    with pytest.raises(SearchError, match="command") as refused:
        words_of(command)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("sh {lr} {l2} {epoch}", "{epoch}, which no trial has; did you mean {epochs}"),
        ("sh {lr} {l2} {zzz}", "{zzz}, which no trial has; known are lr, l2, epochs, seed"),
        ("sh {lr}", "l2 is searched, but command has no {l2}"),
    ],
)
def test_a_placeholder_too_many_or_too_few_is_refused(command, said):
    with pytest.raises(SearchError) as refused:
        require_placeholders(command, ["lr", "l2"], ["epochs"])
    assert said in str(refused.value)


def test_all_parameters_at_once_are_enough():
    require_placeholders("sh {params} {seed}", ["lr", "l2"], [])


@pytest.mark.parametrize(("params", "budget"), [(["seed"], []), (["epochs"], ["epochs"])])
def test_a_parameter_whose_name_means_something_else_is_refused(params, budget):
    with pytest.raises(SearchError, match="rename the parameter"):
        require_placeholders("sh {seed} {epochs}", params, budget)


def test_a_trial_fills_them_in_and_double_braces_are_braces(trial_of):
    trial = trial_of(params={"lr": 1e-05, "flag": False})
    assert filled("sh {lr}{flag} {{lr}} {epochs}", trial, "/kept") == ["sh", "1e-05false", "{lr}", "2"]
