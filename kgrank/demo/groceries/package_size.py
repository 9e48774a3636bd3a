"""What a package holds, from texts such as ``22 LB``, ``6/12 OZ`` or ``1 DZ``."""

from __future__ import annotations

import math
import re
from enum import IntEnum
from typing import NamedTuple

_SIZE = re.compile(r"^\s*(?:(\d+)\s*/\s*)?(\d*\.?\d+)\s*[- ]?([A-Z]+)")
_OUNCES = {
    "OZ": 1, "FZ": 1, "FLOZ": 1, "LB": 16, "LBS": 16, "ML": 0.0338, "L": 33.8, "LT": 33.8, "LTR": 33.8, "GAL": 128,
    "GA": 128, "GL": 128, "QT": 32, "PT": 16, "G": 0.0353, "GR": 0.0353, "GM": 0.0353, "KG": 35.3,
}  # fmt: skip
_PIECES = {"CT": 1, "PK": 1, "PC": 1, "EA": 1, "DZ": 12, "DOZ": 12, "ROL": 1, "ROLL": 1, "RL": 1, "SQ": 1}


class Measure(IntEnum):
    """What a package size is measured in."""

    UNKNOWN = 0
    OUNCES = 1
    PIECES = 2


class PackageSize(NamedTuple):
    """A size, as its natural logarithm; 0 where it is not known."""

    measure: Measure
    log: float


def parse_package_size(text: str | None) -> PackageSize:
    """The size of a package: ounces of weight or volume, or pieces."""
    match = _SIZE.match(text or "")
    if match:
        size = float(match[2]) * float(match[1] or 1)
        for measure, units in ((Measure.OUNCES, _OUNCES), (Measure.PIECES, _PIECES)):
            if match[3] in units and 0 < size < math.inf:
                return PackageSize(measure, math.log(size * units[match[3]]))
    return PackageSize(Measure.UNKNOWN, 0.0)
