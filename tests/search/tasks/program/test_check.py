import json
import tomllib

import pytest

from search.errors import SearchError, SearchFailure
from search.settings.settings import Settings
from search.tasks.checking import FRESH, THIRD
from search.tasks.program.check import check_program
from search.tasks.program.failure import ProgramFailure

ALL = """
def objective(trial):
    kind = trial.suggest_categorical("kind", ["plain", "momentum", None])
    trial.suggest_float("lr", 1e-5, 1e-1, log=True)
    trial.suggest_float("rate", 0, 0.55, step=0.1)
    trial.suggest_int("units", 8, 65, step=8)
    trial.suggest_int("layers", 1, 9, log=True)
    trial.suggest_float("fixed", 0.5, 0.5)
    if kind == "momentum":
        inner = trial.suggest_categorical("inner", [True, False])
        if not inner:
            trial.suggest_float("deep", 0, 1)
    return trial.params["lr"]

serve(objective)
"""


@pytest.fixture
def checked(write):
    """Check a program that is written here."""

    def run(body, **settings):
        return check_program(Settings(program=write(body), **settings))

    return run


def differing(found):
    return {repeat.how: bool(repeat.differences) for repeat in found.repeats}


def test_the_space_is_what_the_calls_ask_for_with_what_each_choice_asks_for_in_turn(checked):
    space = tomllib.loads(checked(ALL).space)["space"]
    assert space == {
        "kind": ["plain", "momentum", "None"],
        "lr": {"log": [1e-5, 1e-1]},
        "rate": {"linear": [0, 0.5], "step": 0.1},
        "units": {"integer": [8, 64], "step": 8},
        "layers": {"integer": [1, 9], "log": True},
        "fixed": [0.5],
        "inner": [True, False],
        "deep": {"linear": [0, 1]},
    }
    assert Settings(space=space).space


def test_a_program_that_keeps_to_its_seed_is_equal_to_the_bit(checked):
    found = checked("""
    import random
    def objective(trial):
        random.seed(trial.seed)
        trial.report(random.random(), 0)
        trial.set_user_attr("drawn", [random.random(), 1])
        return trial.suggest_float("x", 0, 1) + random.random()
    serve(objective)
    """)
    assert (found.equal, differing(found), found.causes()) == (True, {FRESH: False, THIRD: False}, ())
    assert found.costs["start_seconds"] > 0
    assert 0 < found.costs["trial_ms"] < 1000


def test_what_does_not_follow_from_the_seed_differs_in_a_fresh_process(checked):
    found = checked("""
    import random
    def objective(trial):
        trial.report(random.random(), 4)
        return trial.suggest_float("x", 0, 1)
    serve(objective)
    """)
    assert differing(found) == {FRESH: True, THIRD: True}
    (difference,) = found.repeats[0].differences
    assert difference.startswith("what step 4 reported is 0.")
    assert difference.endswith("apart")
    assert "trial.seed" in found.causes()[0]


def test_what_is_kept_from_trial_to_trial_differs_in_the_third_trial_alone(checked):
    found = checked("""
    seen = []
    def objective(trial):
        seen.append(1)
        return trial.suggest_float("x", 0, 1) * 0 + len(seen)
    serve(objective)
    """)
    assert differing(found) == {FRESH: False, THIRD: True}
    assert found.repeats[1].differences == ("the value is 1.0 and 3.0, 2 apart",)
    assert "from trial to trial" in found.causes()[0]


def test_only_a_few_of_many_differences_are_shown(checked):
    found = checked("""
    import random
    def objective(trial):
        for step in range(20):
            trial.report(random.random(), step)
        return trial.suggest_float("x", 0, 1)
    serve(objective)
    """)
    assert len(found.repeats[0].differences) == 6
    assert found.repeats[0].differences[-1] == "and 15 differences more"


def test_a_trial_that_diverges_is_compared_as_well(checked):
    found = checked("serve(lambda trial: trial.suggest_float('x', 0, 1) + float('nan'))")
    assert (found.equal, found.course.value) == (True, None)
    assert "diverged" in found.course.ended


def test_a_parameter_that_the_space_lacks_is_named(checked):
    space = {"x": {"linear": [0, 1]}}
    found = checked("serve(lambda trial: trial.suggest_float('x', 0, 1) + trial.suggest_int('y', 1, 3))", space=space)
    assert any(remark.startswith("y: asked for") for remark in found.remarks)


def test_a_parameter_with_two_ranges_is_named(checked):
    found = checked("serve(lambda trial: trial.suggest_float('x', 0, 1) + trial.suggest_float('x', 0, 2))")
    assert any(remark.startswith("x: asked for with other ranges") for remark in found.remarks)


def test_a_space_of_the_settings_is_for_a_program_that_reads_its_parameters_itself(checked):
    found = checked("serve(lambda trial: trial.params['x'])", space={"x": {"linear": [0, 1]}})
    assert (found.equal, found.space) == (True, "")


@pytest.mark.parametrize("what", ["params", "budget"])
def test_what_a_program_reads_and_the_settings_lack_is_hinted_at(checked, what):
    with pytest.raises(SearchFailure, match=r"\[budget\] or \[space\].*KeyError: 'x'"):
        checked(f"serve(lambda trial: trial.{what}['x'])")


def test_a_range_that_no_space_can_have_is_refused_by_name(checked):
    with pytest.raises(SearchFailure, match="lr"):
        checked("serve(lambda trial: trial.suggest_float('lr', 0, 1, log=True))")


def test_most_combinations_of_choices_are_not_tried_and_that_is_said(checked):
    found = checked("serve(lambda trial: trial.suggest_categorical('x', list(range(20))))")
    assert any("11 combinations of choices not tried" in remark for remark in found.remarks)


def test_a_search_that_is_sent_what_a_check_alone_asks_for_fails_the_attempt(write, runner_of, trial_of):
    program = write("""
    def objective(trial):
        trial._message["check"] = True
        return trial.suggest_float("x", 0, 1)
    serve(objective)
    """)
    with runner_of(program) as run, pytest.raises(ProgramFailure, match="unknown type: 'suggest'"):
        run(trial_of())


def test_a_command_has_its_value_compared_and_needs_a_space(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SearchError, match="no space is given"):
        check_program(Settings(command="echo {x}"))
    space = {"x": {"linear": [0, 1]}}
    assert check_program(Settings(command="echo {x}", space=space)).equal
    found = check_program(Settings(command="sh -c 'date +%N; : {x}'", space=space))
    assert differing(found) == {FRESH: True}


def test_the_command_prints_the_space_and_exits_by_whether_the_slot_repeats(agesearch, write, refused):
    write("serve(lambda trial: trial.suggest_float('x', 0, 1))")
    ended = agesearch("check", "train.py")
    assert ended.code == 0
    assert ended.out.startswith("[space]\nx = { linear = [0, 1] }\n\nthe value is 0.")
    assert ended.out.count("equal to the bit") == 2
    write("serve(lambda trial: trial.suggest_float('x', 0, 1) + time.time())")
    ended = agesearch("check", "train.py", "--json")
    assert (ended.code, json.loads(ended.out)["equal"]) == (1, False)
    assert "nothing is named" in refused("check")
