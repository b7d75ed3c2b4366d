"""Settings that are typed as pairs: "learning_rate=1e-5:1e-3,l2=1e-5:1e-3"."""


def pairs(text: str) -> dict[str, str]:
    """Return the values of `text` by their names; raise ValueError for a name that is there twice."""
    found: dict[str, str] = {}
    for each in text.split(","):
        name, _, value = (part.strip() for part in each.partition("="))
        if name in found:
            raise ValueError(f"{name} is given twice; keep one of them")
        found[name] = value
    return found
