"""Wildcards: texts in which a `*` stands for any number of letters, and how complex they are.

The provider refuses a field whose wildcards have more than ten beginnings that one text can end in
at once, because that is what a matcher has to keep in mind. `*:*:*:*:*:x/*` has eleven: after
`:::::x/:::::` it may be in any of them.
"""

from typing import NoReturn

from nephoscope.errors import PatternError

COMPLEXITY_MAX = 10

# Sets of beginnings that are looked at before a field is taken to be simple enough.
_SETS_MAX = 5000

_STAR = None  # among the letters of a wildcard


def read_wildcard(text: str, path: str) -> tuple[str, ...]:
    r"""The pieces between the stars, after `\*` and `\\` have become letters."""
    pieces = [""]
    for letter in _letters(text, path):
        if letter is _STAR:
            pieces.append("")
        else:
            pieces[-1] += letter
    return tuple(pieces)


def _letters(text: str, path: str) -> list[str | None]:
    letters: list[str | None] = []
    at = 0
    while at < len(text):
        letter = text[at]
        if letter == "*":
            if letters and letters[-1] is _STAR:
                _refuse(path, f"two * in a row at letter {at + 1} of {text!r}")
            letters.append(_STAR)
        elif letter == "\\":
            at += 1
            if text[at : at + 1] not in {"*", "\\"}:
                _refuse(path, f"an unknown escape at letter {at} of {text!r}")
            letters.append(text[at])
        else:
            letters.append(letter)
        at += 1
    return letters


def _refuse(path: str, message: str) -> NoReturn:
    allowed = r"letters, * for any number of them, \* for a star and \\ for a backslash"
    raise PatternError(message, path, allowed)


def check_complexity(wildcards: list[tuple[str, ...]], path: str) -> None:
    """Refuse the wildcards of one field where they are more complex than the provider takes."""
    if complexity(wildcards) > COMPLEXITY_MAX:
        message = "wildcards too complex"
        allowed = "fewer stars, or fewer letters that are the same after a star"
        raise PatternError(message, path, allowed)


def complexity(wildcards: list[tuple[str, ...]]) -> int:
    """How many beginnings of wildcards one text can end in at once; counted no further than 11."""
    patterns = [_tokens(pieces) for pieces in wildcards]
    alphabet = {token for pattern in patterns for token in pattern if token is not _STAR}
    start = _skip_stars({(number, 0) for number in range(len(patterns))}, patterns)
    pending, seen, most = [start], {start}, 0
    while pending and len(seen) < _SETS_MAX:
        active = pending.pop()
        most = max(most, sum(1 for _, at in active if at > 0))
        if most > COMPLEXITY_MAX:
            break
        for letter in alphabet:
            after = _skip_stars(_step(active, letter, patterns), patterns)
            if after not in seen:
                seen.add(after)
                pending.append(after)
    return most


_Beginnings = set[tuple[int, int]]  # of which wildcard, and how many of its tokens


def _tokens(pieces: tuple[str, ...]) -> list[str | None]:
    tokens: list[str | None] = list(pieces[0])
    for piece in pieces[1:]:
        tokens += [_STAR, *piece]
    return tokens


def _skip_stars(
    active: _Beginnings, patterns: list[list[str | None]]
) -> frozenset[tuple[int, int]]:
    """A star may stand for nothing."""
    skipped = {
        (number, at + 1)
        for number, at in active
        if at < len(patterns[number]) and patterns[number][at] is _STAR
    }
    return frozenset(active | skipped)


def _step(
    active: frozenset[tuple[int, int]], letter: str | None, patterns: list[list[str | None]]
) -> _Beginnings:
    after = set()
    for number, at in active:
        pattern = patterns[number]
        if at < len(pattern) and pattern[at] == letter:
            after.add((number, at + 1))
        if at > 0 and pattern[at - 1] is _STAR:
            after.add((number, at))
    return after
