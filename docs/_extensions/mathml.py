"""Formulas as MathML, made when the site is built: browsers show it without a script or a font from elsewhere."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.writers.html5 import HTML5Translator

_log = logging.getLogger(__name__)


def _inline(translator: HTML5Translator, node: nodes.math) -> None:
    translator.body.append(_converted(node, "inline"))
    raise nodes.SkipNode


def _block(translator: HTML5Translator, node: nodes.math_block) -> None:
    translator.body.append(f'<div class="math">{_converted(node, "block")}</div>\n')
    raise nodes.SkipNode


def _converted(node: nodes.math | nodes.math_block, display: str) -> str:
    """A formula as MathML; a command that the converter does not know is a warning."""
    made: str = convert(node.astext(), display=display)
    unknown = re.findall(r"\\[a-zA-Z]+", made)
    if unknown:
        _log.warning("unknown in a formula: %s", ", ".join(unknown), location=node)
    return made


def setup(app: Sphinx) -> dict[str, Any]:
    """Registers the renderer, which ``html_math_renderer`` names."""
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
