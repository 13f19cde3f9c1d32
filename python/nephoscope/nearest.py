"""The nearest right word to a wrong one."""

import difflib
from collections.abc import Iterable

_WORD_LENGTH_MAX = 100
_WORDS_MAX = 2000


def nearest(word: object, words: Iterable[str]) -> str | None:
    """The word most like `word`, or None where none is alike.

    Both lengths are bounded, because the comparison is quadratic.
    """
    if not isinstance(word, str) or len(word) > _WORD_LENGTH_MAX:
        return None
    candidates = {str(w).lower(): str(w) for w in list(words)[:_WORDS_MAX]}
    plain = word.lower().replace(" ", "_")
    for spelling in (plain, plain.replace("-", "_"), plain.replace("_", "-")):
        if spelling in candidates:
            return candidates[spelling]
    close = difflib.get_close_matches(plain, candidates, n=1, cutoff=0.6)
    return candidates[close[0]] if close else None


def ending(path: str, paths: Iterable[str]) -> str | None:
    """The path that ends as this one does, those of what users feel first; None where none does."""
    alike = [it for it in paths if it.endswith(f".{path}")]
    return min(alike, key=lambda it: (not it.startswith("traffic."), it.count(".")), default=None)


def listing(words: Iterable[str], at_most: int = 12) -> str:
    """The words as a message shows them: `a, b or c`."""
    known = list(words)
    if len(known) > at_most:
        return ", ".join(known[:at_most]) + f" and {len(known) - at_most} more"
    return " or ".join(filter(None, [", ".join(known[:-1]), *known[-1:]]))
