import json
from dataclasses import replace

import pytest

from search.dashboard.map_figure import map_figure
from search.report.colours import COLOUR_MAP
from search.results.search_map import Axis, MapBox, MapTrial, SearchMap, search_map
from search.space.score import Score
from tests.integration.fake_study import spec_of
from tests.search.tiny import work_off, work_some

AXES = (Axis("learning_rate", "learning rate", log=True), Axis("l2", "L2", log=True))
TASK = spec_of(1).task


def named(figure):
    return {trace["name"]: trace for trace in figure["data"]}


def test_trials_lie_on_logarithmic_axes_coloured_by_their_error_and_both_boxes_are_drawn(study_of):
    study = study_of(6, 4)
    work_off(study)
    found = search_map(study)
    figure = map_figure(found)
    traces = named(figure)
    assert [figure["layout"][axis]["type"] for axis in ("xaxis", "yaxis")] == ["log", "log"]
    for stage, count in ((1, 6), (2, 4)):
        trials = [trial for trial in found.trials if trial.stage == stage]
        trace = traces[f"stage {stage}: {count} trials"]
        assert trace["x"] == pytest.approx([trial.x for trial in trials], rel=1e-3)
        assert trace["y"] == pytest.approx([trial.y for trial in trials], rel=1e-3)
        assert trace["marker"]["color"] == pytest.approx([trial.measure for trial in trials], rel=1e-3)
        assert trace["customdata"] == [trial.number for trial in trials]
        box = found.boxes[stage - 1]
        assert set(traces[f"box of stage {stage}"]["x"]) == set(box.x)
        assert set(traces[f"box of stage {stage}"]["y"]) == set(box.y)


def test_the_best_trial_by_score_is_marked():
    trials = (MapTrial(0, 1, 0, 1e-4, 1e-3, 9.0, 12.0), MapTrial(1, 1, 1, 1e-5, 1e-2, 9.5, 10.0))
    figure = map_figure(SearchMap("age", *AXES, trials, (MapBox(1, (1e-6, 1e-3), (1e-6, 10)),), TASK))
    assert named(figure)["best: trial 1, 9.50 years"]["x"] == [1e-5]


def test_the_chosen_trial_is_marked_instead_once_there_is_one():
    trials = (MapTrial(0, 1, 0, 1e-4, 1e-3, 9.0, 9.0), MapTrial(1, 1, 1, 1e-5, 1e-2, 9.5, 9.5))
    boxes = (MapBox(1, (1e-6, 1e-3), (1e-6, 10)),)
    figure = map_figure(SearchMap("age", *AXES, trials, boxes, TASK, chosen=1))
    assert named(figure)["chosen: trial 1, 9.50 years"]["x"] == [1e-5]
    assert not any(name.startswith("best") for name in named(figure))


def test_the_colour_of_a_good_error_is_the_reports():
    from matplotlib import colormaps

    found = SearchMap("age", *AXES, (), (), TASK)
    colours = map_figure(found)["layout"]["coloraxis"]
    assert colours["colorscale"].lower() == COLOUR_MAP
    assert not colours.get("reversescale")
    assert sum(colormaps[COLOUR_MAP](0.0)[:3]) < sum(colormaps[COLOUR_MAP](1.0)[:3])  # dark is good


def test_a_high_score_is_dark_where_it_is_to_be_maximised():
    task = replace(TASK, score=Score("accuracy", direction="maximize"), coloured=None)
    trials = tuple(MapTrial(n, 1, n, 1e-4, 1e-3, score, score) for n, score in enumerate([0.5, 0.75, 0.25]))
    figure = map_figure(SearchMap("age", *AXES, trials, (), task))
    assert figure["layout"]["coloraxis"]["reversescale"]
    assert named(figure)["best: trial 1, 0.750"]["x"] == [1e-4]


def test_diverged_errors_do_not_take_all_colours():
    trials = tuple(MapTrial(n, 1, n, 1e-4, 1e-3, error, error) for n, error in enumerate([*range(10, 29), 1e30]))
    figure = map_figure(SearchMap("age", *AXES, trials, (MapBox(1, (1e-6, 1e-3), (1e-6, 10)),), TASK))
    assert (figure["layout"]["coloraxis"]["cmin"], figure["layout"]["coloraxis"]["cmax"]) == (10, 27)


def test_a_study_that_has_just_begun_is_an_empty_box(study_of):
    study = study_of(2)
    assert map_figure(search_map(study))["data"] == []
    work_some(study, 1)
    assert list(named(map_figure(search_map(study))))[:2] == ["box of stage 1", "stage 1: 1 trial"]


def test_plotly_knows_every_property_of_it(study_of):
    graph_objects = pytest.importorskip("plotly.graph_objects", reason="Plotly is not installed")
    study = study_of(3, 2)
    work_off(study)
    figure = json.loads(json.dumps(map_figure(search_map(study))))
    assert json.loads(graph_objects.Figure(figure).to_json())["layout"]["xaxis"]["type"] == "log"
