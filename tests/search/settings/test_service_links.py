import pytest

from search.settings.service_links import is_service_link


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "tcp://10.0.0.1:8080"),
        ("DASHBOARD_PORT", "tcp://10.0.0.1:8080"),
        ("DASHBOARD_PORT_8080_TCP", "tcp://10.0.0.1:8080"),
        ("PORT_8080_TCP_PROTO", "tcp"),
        ("PORT_8080_TCP_PORT", "8080"),
        ("PORT_8080_TCP_ADDR", "10.0.0.1"),
        ("SERVICE_HOST", "10.0.0.1"),
        ("SERVICE_PORT", "8080"),
        ("DASHBOARD_SERVICE_PORT_HTTP", "8080"),
    ],
)
def test_what_a_service_links_is_known(name, value):
    assert is_service_link(f"AGESEARCH_{name}", value)


@pytest.mark.parametrize(("name", "value"), [("PORT", "8080"), ("PROT", "tcp://10.0.0.1:1"), ("SERVICE_HOST", "x y")])
def test_what_a_user_may_have_meant_is_not(name, value):
    assert not is_service_link(f"AGESEARCH_{name}", value)
