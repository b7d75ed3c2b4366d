"""Settings that are typed as pairs: "learning_rate=1e-5:1e-3,l2=1e-5:1e-3"."""


def pairs(text: str) -> dict[str, str]:
    """Return the values of `text` by their names; raise ValueError for one that is missing or there twice."""
    found: dict[str, str] = {}
    for each in text.split(","):
        name, _, value = (part.strip() for part in each.partition("="))
        if not name:
            raise ValueError(f"{each.strip()!r} between its commas has no name; write name=value, or leave it out")
        if name in found:
            raise ValueError(f"{name} is given twice; keep one of them")
        found[name] = value
    return found
