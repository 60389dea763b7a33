"""How the guard's tables of words are written."""


def words(text: str) -> frozenset[str]:
    """Those of `text`, between blanks."""
    return frozenset(text.split())
