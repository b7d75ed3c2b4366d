import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from search.settings.settings import SECRETS, Settings, panel_of


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=5).map(tuple))
def test_any_number_of_stages_survives_being_written_as_text(trials):
    assert Settings.model_validate({"trials": ",".join(map(str, trials))}).trials == trials


@given(st.tuples(*[st.floats(min_value=0, exclude_min=True, allow_infinity=False)] * 2))
def test_any_range_survives_being_written_as_text(ends):
    text = f"{ends[0]!r}:{ends[1]!r}"
    settings = Settings.model_validate({"l2": text, "ranges": f"learning_rate={text},l2={text}"})
    assert settings.l2 == ends
    assert settings.ranges == {"learning_rate": ends, "l2": ends}


def test_every_setting_is_in_a_panel_beside_those_that_go_with_it():
    panels = {name: panel_of(name) for name in Settings.model_fields}
    assert all(panels.values())
    assert panels["trials"] == panels["images"] == "Budget" != panels["finalists"]


@pytest.mark.parametrize("name", [name for name, field in Settings.model_fields.items() if field.default is None])
def test_what_is_none_by_default_can_be_told_to_be_none_but_for_a_password(name):
    found = getattr(Settings.model_validate({name: "none"}), name)
    assert (found is None) == (name not in SECRETS)


def test_the_names_of_the_dashboard_are_given_as_text():
    assert Settings.model_validate({"dashboard_hosts": "a.example,b.example"}).dashboard_hosts == (
        "a.example",
        "b.example",
    )
    assert Settings.model_validate({"dashboard_hosts": "none"}).dashboard_hosts is None


def test_blanks_around_the_names_of_the_dashboard_are_no_part_of_them():
    given = " a.example , B.example,2001:DB8::1, [::2]"
    assert Settings.model_validate({"dashboard_hosts": given}).dashboard_hosts == (
        *("a.example", "B.example"),
        *("2001:db8::1", "::2"),
    )


@pytest.mark.parametrize(
    "given", ["a.example,b.example:8443", "a b", "", "a,,b", "http://a.example", "[a]", "ä.example"]
)
def test_what_no_browser_calls_the_dashboard_is_refused(given):
    with pytest.raises(ValidationError, match=r"it is (no host name; write one without a port|empty)"):
        Settings.model_validate({"dashboard_hosts": given})
