"""Variables that Kubernetes sets in each pod for the services of its namespace, some of them under our prefix.

A service named `agesearch` or `agesearch-dashboard` makes AGESEARCH_PORT=tcp://10.0.0.1:8080, AGESEARCH_SERVICE_HOST
and the like: they are nobody's settings.
"""

import re

_ADDRESS = r"(tcp|udp|sctp)://\S+"
_LINKS = tuple(
    (re.compile(rf"AGESEARCH_([A-Z0-9_]+_)?{name}"), re.compile(value))
    for name, value in (
        ("SERVICE_HOST", r"[0-9a-fA-F.:]+"),
        ("SERVICE_PORT(_[A-Z0-9_]+)?", r"\d+"),
        (r"PORT(_\d+_(TCP|UDP|SCTP))?", _ADDRESS),
        (r"PORT_\d+_(TCP|UDP|SCTP)_PROTO", "tcp|udp|sctp"),
        (r"PORT_\d+_(TCP|UDP|SCTP)_PORT", r"\d+"),
        (r"PORT_\d+_(TCP|UDP|SCTP)_ADDR", r"[0-9a-fA-F.:]+"),
    )
)


def is_service_link(name: str, value: str) -> bool:
    """Tell whether a variable is of a service, by its name and by its value."""
    return any(names.fullmatch(name) and values.fullmatch(value) for names, values in _LINKS)
