"""Sphinx's settings for the documentation: ``make docs`` builds ``site/``, which needs no other host."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

DOCS = Path(__file__).parent
sys.path[:0] = [str(DOCS.parent), str(DOCS / "_extensions")]

from kgrank import __version__  # noqa: E402

project = "kgrank"
author = "The kgrank authors"
release = version = __version__
copyright = "the kgrank authors, Apache-2.0"

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "generated", "mathml"]
exclude_patterns = ["_extensions"]
highlight_language = "none"
# Excerpts of Turtle leave out what does not matter: "…".
suppress_warnings = ["misc.highlighting_failure"]
# Two hyphens begin an option, and stay two hyphens.
smartquotes = False

# Anchors as code hosts make them, so that a link works there and here.
myst_heading_anchors = 4
myst_enable_extensions = ["dollarmath"]

# Seconds of imports, and no name that is shown needs them.
autodoc_mock_imports = ["lightning", "torch", "torch_geometric"]
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
napoleon_use_ivar = True
python_maximum_signature_line_length = 90

html_theme = "furo"
html_title = "kgrank"
html_static_path = ["_static"]
html_css_files = ["kgrank.css"]
html_math_renderer = "mathml"
html_copy_source = False
html_show_sourcelink = False


def _without_type(_: Sphinx, what: str, *rest: Any) -> None:
    """Takes the colon out of a property's first line, where napoleon would read what precedes it as a type."""
    lines: list[str] = rest[-1]
    if what in ("attribute", "property") and lines:
        lines[0] = lines[0].replace(": ", " \N{EN DASH} ")


def setup(app: Sphinx) -> None:
    """Reads docstrings before napoleon does."""
    app.connect("autodoc-process-docstring", _without_type, priority=400)
