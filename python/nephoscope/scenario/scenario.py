"""The scenario as its user holds it: loaded, varied, run."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from pydantic import PrivateAttr

from nephoscope.errors import Problem, ScenarioError
from nephoscope.scenario.checking import check
from nephoscope.scenario.data_files import DataFiles
from nephoscope.scenario.files.document import TEXT_LENGTH_MAX, Document, from_values
from nephoscope.scenario.files.json_reader import read_json
from nephoscope.scenario.files.tables import Tables
from nephoscope.scenario.files.yaml_reader import read_yaml
from nephoscope.scenario.language.structure import ScenarioModel
from nephoscope.scenario.overriding import overridden

if TYPE_CHECKING:
    from nephoscope.results import Result


class Scenario(ScenarioModel):
    """A scenario without a mistake: what is built or loaded has been checked in full.

    Built in Python it takes the words of the file format: `Scenario(duration="1h", fleets={...},
    services={...}, traffic={...})`. Every mistake is reported at once, as a ScenarioError.
    """

    _document: Document = PrivateAttr()
    _files: DataFiles = PrivateAttr()

    def __init__(self, **values: Any) -> None:
        self._adopt(from_values({"nephoscope": 1, **values}), Tables())

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """The scenario in a YAML or JSON file; its data files are looked for beside it."""
        path = Path(path)
        return cls._of(_read(path), Tables())

    @classmethod
    def from_text(cls, text: str, directory: str | Path | None = None) -> Self:
        """The scenario in a text of YAML; its data files are looked for in `directory`."""
        return cls._of(read_yaml(text, None, Path(directory) if directory else None), Tables())

    @classmethod
    def model_validate(cls, obj: Any, **_: Any) -> Self:
        """The scenario of a mapping in the words of the file format."""
        return obj if isinstance(obj, cls) else cls._of(from_values(obj), Tables())

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], directory: str | Path | None = None) -> Self:
        """The scenario of a mapping, with the folder in which its data files are looked for."""
        document = from_values(dict(values), Path(directory) if directory else None)
        return cls._of(document, Tables())

    def replace(self, values: Mapping[str, Any]) -> Self:
        """The scenario with other values at these paths, as `--set` has them.

        `scenario.replace({"load_balancers.front-door.routing": "round_robin"})`
        """
        return self._of(overridden(self._document, values), self._files.tables)

    def run(self, rng: int | None = None) -> "Result":
        """Simulate to the end; `rng` is the seed, by default the scenario's."""
        from nephoscope.run import run  # noqa: PLC0415  (run knows scenarios, not the reverse)

        return run(self, rng=rng)

    def to_dict(self) -> dict[str, Any]:
        """The scenario in the words of the file format, as it was written."""
        return from_values(self._document.tree).tree

    def _repr_html_(self) -> str:
        from nephoscope.report.notebook import notebook_html  # noqa: PLC0415  (it knows this)

        return notebook_html(self)

    @property
    def files(self) -> DataFiles:
        """The data files that the scenario names."""
        return self._files

    @property
    def directory(self) -> Path:
        """Where relative names of data files start."""
        return self._document.directory

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Scenario) and self.__dict__ == other.__dict__

    __hash__ = None  # type: ignore[assignment]

    @classmethod
    def _of(cls, document: Document, tables: Tables) -> Self:
        scenario = cls.__new__(cls)
        cls._adopt(scenario, document, tables)
        return scenario

    def _adopt(self, document: Document, tables: Tables) -> None:
        files = DataFiles(document.directory, tables)
        check(document, files, lambda tree: super(Scenario, self).__init__(**tree))
        self._document = document
        self._files = files


def _read(path: Path) -> Document:
    source = str(path)
    try:
        if path.is_file() and path.stat().st_size > 4 * TEXT_LENGTH_MAX:
            raise ScenarioError([Problem("", "too large for a scenario", 1, 1)], source)
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ScenarioError([Problem("", f"not UTF-8: {error.reason}", 1, 1)], source) from None
    except (OSError, ValueError) as error:
        if isinstance(error, ScenarioError):
            raise
        reason = getattr(error, "strerror", None) or str(error)
        raise ScenarioError([Problem("", f"cannot be read: {reason}", 1, 1)], source) from None
    read = read_json if path.suffix.lower() == ".json" else read_yaml
    return read(text, source, path.parent)
