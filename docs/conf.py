"""How the site is built: `pip install --group docs .`, then `sphinx-build -W docs site`."""

import sys
import tomllib
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "extensions"))

project = "nephoscope"
version = tomllib.loads((HERE.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"][
    "version"
]
extensions = ["myst_parser", "sphinx.ext.autodoc", "pages"]
exclude_patterns = ["extensions"]
nitpicky = False

# Links to headings, as they are written for readers of the files themselves.
myst_heading_anchors = 4
suppress_warnings = ["myst.header"]

# Docstrings are plain words; what stands in backticks is code.
default_role = "code"
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_default_options = {"members": True}
autodoc_inherit_docstrings = False

html_theme = "furo"
html_title = f"nephoscope {version}"
html_copy_source = False
html_show_sphinx = False
