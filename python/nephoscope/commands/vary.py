"""Values by their paths, as the options of experiments take them."""

from typing import Any

import click

from nephoscope.errors import ScenarioError, UnitError
from nephoscope.scenario.files.yaml_reader import read_value
from nephoscope.scenario.units import parse_share


def values_of(option: str, texts: tuple[str, ...]) -> dict[str, list[Any]]:
    """The lists of values in texts such as `fleets.web.count=1,2,3`.

    What follows the equals sign is the inside of a YAML list: `round_robin, {ip_hash: {}}`, and a
    text with a comma in it is quoted; with `null` the scenario goes without the key.
    """
    values: dict[str, list[Any]] = {}
    for text in texts:
        path, equals, listed = text.partition("=")
        path = path.strip()
        if not equals or not path:
            raise click.UsageError(f"{option} {text}: PATH=VALUE,VALUE is needed")
        if path in values:
            raise click.UsageError(f"{option} {text}: {path} is given twice")
        values[path] = list_of(option, text, listed)
    return values


def list_of(option: str, text: str, listed: str) -> list[Any]:
    """The values in the inside of a YAML list; `text` is what the option was given in full."""
    try:
        found: list[Any] = read_value(f"[{listed}]", nulls=True)
    except ScenarioError as error:
        message = error.problems[0].message
        raise click.UsageError(
            f"{option} {text}: {message}; values are separated by commas, and those with a "
            "comma of their own are quoted or in brackets"
        ) from None
    return found


def shares_of(option: str, texts: tuple[str, ...]) -> dict[str, float]:
    """The shares in texts such as `latency_s.p99=2%`."""
    shares: dict[str, float] = {}
    for text in texts:
        path, equals, share = text.partition("=")
        path = path.strip()
        if not equals or not path:
            raise click.UsageError(f"{option} {text}: PATH=SHARE is needed, such as 2%")
        if path in shares:
            raise click.UsageError(f"{option} {text}: {path} is given twice")
        try:
            value = read_value(share)
            shares[path] = parse_share(value)
        except ScenarioError as error:
            raise click.UsageError(f"{option} {text}: {error.problems[0].message}") from None
        except UnitError as error:
            raise click.UsageError(f"{option} {text}: {error}") from None
    return shares
