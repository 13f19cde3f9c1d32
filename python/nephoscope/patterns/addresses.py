"""IP addresses and blocks of them, in the forms of the core (cpp/messaging/ip_address.hpp)."""

import ipaddress
import re
from typing import NoReturn

from nephoscope.errors import PatternError

_IPV4 = re.compile(r"[0-9]+(\.[0-9]+){3}", re.ASCII)
_IPV6 = re.compile(r"[0-9a-fA-F:]*:[0-9a-fA-F:]*", re.ASCII)
_IPV4_LENGTH_MAX = 15
_MAPPED = ipaddress.ip_network("::ffff:0:0/96")


def address_size(text: str) -> int:
    """Its bytes, 4 or 16, or 0 where the text is no address; of mapped ones those of IPv4."""
    if _IPV4.fullmatch(text) and len(text) <= _IPV4_LENGTH_MAX:
        return 4 if all(int(part) <= 255 for part in text.split(".")) else 0
    if not _IPV6.fullmatch(text):
        return 0
    try:
        return 4 if ipaddress.IPv6Address(text) in _MAPPED else 16
    except ValueError:
        return 0


def read_block(text: str, path: str) -> tuple[str, int]:
    """The base and the number of bits of a block; the bits of the base beyond them do not matter.

    A block of one address is refused, as the provider's rule engine does: that is an exact match.
    """
    base, slash, bits = text.partition("/")
    size = address_size(base)
    if not slash or not size:
        _refuse(path, f"{text!r} is no block of addresses")
    if not re.fullmatch("[0-9]{1,3}", bits, re.ASCII):
        _refuse(path, f"{bits!r} is no number of bits")
    if int(bits) >= 8 * size:
        _refuse(path, f"{bits} bits are too many; at most {8 * size - 1}")
    return base, int(bits)


def _refuse(path: str, message: str) -> NoReturn:
    allowed = "a block such as 10.0.0.0/24 or 2001:db8::/32; one address as a plain text"
    raise PatternError(message, path, allowed)
