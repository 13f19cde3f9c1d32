"""Routing policies of the user's own: compiled functions as `nephoscope/routing_policy.h` has them.

A policy is known by its name wherever its code cannot be: in labels, in journals, in saved
simulations. It lives in its process, unless it comes from a shared library, which others can load.
"""

import ctypes
import hashlib
from pathlib import Path
from typing import Any, Self

from nephoscope.errors import Problem, ScenarioError, shorten

# As in the header.
VERSION = 1
CAPSULE = b"nephoscope_routing_policy"
WORDS_MAX = 16
STATE_MAX = 2**24

# What all functions of ctypes are.
_FUNCTION: Any = ctypes.CFUNCTYPE(None).__mro__[1]
_ACCEPTED = "a numba cfunc, a ctypes function, a PyCapsule of nephoscope_routing_policy, an address"


class RoutingPolicy:
    """A compiled function that chooses the target of each request.

    `function` is a numba cfunc, a function of ctypes, a PyCapsule or an address; it must stay where
    it is, which this sees to if it is a Python object. It gets `words` random words for each
    request, and has `state` of its own: a number of bytes that begin as zeros, or what they are at
    first (bytes, or an array). `version` is that of the header it was written for.
    """

    def __init__(
        self,
        function: Any,
        *,
        name: str | None = None,
        words: int = 1,
        state: Any = 0,
        version: int = VERSION,
    ) -> None:
        self._function = function
        self.address = _address(function)
        self.name = _name(function, name)
        self.words = _within("words", words, WORDS_MAX)
        self.state = _bytes(state)
        self._library: tuple[str, str] | None = None
        if not 1 <= _within("version", version, 2**31) <= VERSION:
            message = f"written for version {version} of the header, which is not known here"
            raise _refused("version", message, f"1 to {VERSION}")

    @classmethod
    def load(cls, library: str | Path, function: str, **options: Any) -> Self:
        """The function of that name in a shared library; other processes can load it, too."""
        path = str(Path(library).resolve())
        try:
            found = getattr(ctypes.CDLL(path), function)
        except (OSError, AttributeError) as error:
            raise _refused("library", f"cannot be loaded: {error}", None) from None
        policy = cls(found, **{"name": function, **options})
        policy._library = (path, function)
        return policy

    def __repr__(self) -> str:
        return f"RoutingPolicy({self.name!r})"

    def __str__(self) -> str:
        return self.name

    @property
    def identity(self) -> str:
        """All that can be said of it without its code; of a library, its code as well."""
        code = "" if self._library is None else _digest(Path(self._library[0]).read_bytes())
        return f"compiled {self.name} {self.words} {_digest(self.state)} {code}"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, RoutingPolicy):
            return NotImplemented
        return self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    @property
    def _key(self) -> tuple[object, ...]:
        return self.address, self.name, self.words, self.state

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _: object) -> Self:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        if self._library is None:
            message = f"the compiled policy {self.name} is in this process alone"
            raise _refused("routing", message, "threads, or RoutingPolicy.load of a library")
        options = {"name": self.name, "words": self.words, "state": self.state}
        return _loaded, (*self._library, options)


def _loaded(library: str, function: str, options: dict[str, Any]) -> RoutingPolicy:
    return RoutingPolicy.load(library, function, **options)


def _address(function: Any) -> int:
    if isinstance(function, bool):
        raise _refused("function", f"{function} is no function", _ACCEPTED)
    if isinstance(function, int):
        address = function
    elif isinstance(function, _FUNCTION):
        address = ctypes.cast(function, ctypes.c_void_p).value or 0
    elif type(function).__name__ == "PyCapsule":
        address = _capsule_address(function)
    elif isinstance(getattr(function, "address", None), int):
        address = function.address  # a cfunc of numba
    else:
        raise _refused("function", f"{shorten(function)} is not compiled", _ACCEPTED)
    if not 0 < address < 2**64:
        raise _refused("function", f"{address} is no address", _ACCEPTED)
    return address


def _capsule_address(capsule: Any) -> int:
    api = ctypes.pythonapi
    valid = api.PyCapsule_IsValid
    valid.argtypes, valid.restype = [ctypes.py_object, ctypes.c_char_p], ctypes.c_int
    if not valid(capsule, CAPSULE):
        raise _refused("function", "a capsule of another name", CAPSULE.decode())
    pointer = api.PyCapsule_GetPointer
    pointer.argtypes, pointer.restype = [ctypes.py_object, ctypes.c_char_p], ctypes.c_void_p
    return int(pointer(capsule, CAPSULE) or 0)


def _name(function: Any, name: Any) -> str:
    found = getattr(function, "__name__", None) if name is None else name
    if not isinstance(found, str) or not found:
        raise _refused("name", "a policy is known by its name, and this has none", "a text")
    return found


def _bytes(state: Any) -> bytes:
    if isinstance(state, int) and not isinstance(state, bool):
        return bytes(_within("state", state, STATE_MAX))
    try:
        data = bytes(memoryview(state).cast("B"))
    except TypeError:
        message = f"{shorten(state)} is no block of bytes"
        raise _refused("state", message, "bytes, an array or a number of bytes") from None
    _within("state", len(data), STATE_MAX)
    return data


def _within(of: str, value: Any, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise _refused(of, f"{shorten(value)} is out of range", f"0 to {most}")
    return value


def _digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def _refused(path: str, message: str, allowed: str | None) -> ScenarioError:
    return ScenarioError([Problem(path, message, allowed=allowed)])
