"""Packages that only some need: imported where they are used, and asked for by name."""

import importlib
from typing import Any

from nephoscope.errors import ExtraError


def need(module: str, extra: str) -> Any:
    """The module; ExtraError, with what to install, where it is not there."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        package = module.partition(".")[0]
        if error.name is None or error.name.partition(".")[0] != package:
            raise
        raise ExtraError(
            f"{package} is needed for this and not installed: pip install 'nephoscope[{extra}]'"
        ) from None
