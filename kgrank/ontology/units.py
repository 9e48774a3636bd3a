"""Units: UCUM codes with dimension and factor, and ISO 4217 currencies.

A closed table, so that a unit that is not in it is a mistake that can be named, and cm to mm is a conversion
rather than another attribute. Currencies are dimensions of their own: rates are no constants.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from functools import cache
from typing import NamedTuple

from kgrank.errors import InputError, did_you_mean
from kgrank.ontology.numerals import plain_marks, readings


class Unit(NamedTuple):
    """A unit: ``factor`` · (value + ``offset``) is the value in the base unit of the dimension."""

    code: str
    dimension: str
    factor: float
    offset: float = 0.0


_LENGTH = {
    "um": 1e-6,
    "mm": 1e-3,
    "cm": 1e-2,
    "dm": 0.1,
    "m": 1.0,
    "km": 1e3,
    "[in_i]": 0.0254,
    "[ft_i]": 0.3048,
    "[yd_i]": 0.9144,
    "[mi_i]": 1609.344,
}
_DAY = 86400.0
_TABLES: Mapping[str, Mapping[str, float]] = {
    "length": _LENGTH,
    "area": {"mm2": 1e-6, "cm2": 1e-4, "m2": 1.0, "[sin_i]": 0.0254**2, "[sft_i]": 0.3048**2},
    "volume": {
        "mL": 1e-3,
        "cL": 1e-2,
        "dL": 0.1,
        "L": 1.0,
        "cm3": 1e-3,
        "m3": 1e3,
        "[foz_us]": 0.0295735295625,
        "[pt_us]": 0.473176473,
        "[qt_us]": 0.946352946,
        "[gal_us]": 3.785411784,
    },
    "mass": {"mg": 1e-6, "g": 1e-3, "kg": 1.0, "t": 1e3, "[oz_av]": 0.028349523125, "[lb_av]": 0.45359237},
    "time": {"ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "d": _DAY, "wk": 7 * _DAY},
    "calendar time": {"mo": 1.0, "a": 12.0},
    "frequency": {"Hz": 1.0, "kHz": 1e3, "MHz": 1e6, "GHz": 1e9},
    "power": {"mW": 1e-3, "W": 1.0, "kW": 1e3, "[HP]": 745.69987158227022},
    "energy": {"J": 1.0, "kJ": 1e3, "W.h": 3600.0, "kW.h": 3.6e6, "cal": 4.184, "kcal": 4184.0},
    "voltage": {"mV": 1e-3, "V": 1.0, "kV": 1e3},
    "current": {"mA": 1e-3, "A": 1.0},
    "charge": {"mA.h": 1e-3, "A.h": 1.0},
    "resistance": {"Ohm": 1.0, "kOhm": 1e3},
    "pressure": {"Pa": 1.0, "kPa": 1e3, "bar": 1e5, "[psi]": 6894.757293168361},
    "data": {"bit": 0.125, "By": 1.0, "kBy": 1e3, "MBy": 1e6, "GBy": 1e9, "TBy": 1e12},
    "speed": {"m/s": 1.0, "km/h": 1 / 3.6, "[mi_i]/h": 0.44704},
    "ratio": {"1": 1.0, "%": 0.01},
    "angle": {"deg": 1.0},
    "luminous flux": {"lm": 1.0},
    "illuminance": {"lx": 1.0},
    "sound": {"dB": 1.0},
    "rotation": {"/min": 1.0},
    "linear density": {"tex": 9.0, "[den]": 1.0},
    "area density": {"g/m2": 1.0, "kg/m2": 1e3},
}
_TEMPERATURES = (
    Unit("K", "temperature", 1.0),
    Unit("Cel", "temperature", 1.0, 273.15),
    Unit("[degF]", "temperature", 5 / 9, 459.67),
)
_CURRENCIES = (
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF "
    "CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ "
    "GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP "
    "LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR "
    "PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC "
    "SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XOF XPF "
    "YER ZAR ZMW ZWG"
)

_SPOKEN: Mapping[str, str] = {
    "inch": "[in_i]",
    "inches": "[in_i]",
    "in": "[in_i]",
    '"': "[in_i]",
    "foot": "[ft_i]",
    "feet": "[ft_i]",
    "ft": "[ft_i]",
    "yd": "[yd_i]",
    "yard": "[yd_i]",
    "mile": "[mi_i]",
    "mi": "[mi_i]",
    "mph": "[mi_i]/h",
    "millimeter": "mm",
    "millimetre": "mm",
    "centimeter": "cm",
    "centimetre": "cm",
    "meter": "m",
    "metre": "m",
    "mm²": "mm2",
    "cm²": "cm2",
    "m²": "m2",
    "m³": "m3",
    "cm³": "cm3",
    "l": "L",
    "ml": "mL",
    "cl": "cL",
    "litre": "L",
    "liter": "L",
    "floz": "[foz_us]",
    "fl oz": "[foz_us]",
    "gallon": "[gal_us]",
    "gal": "[gal_us]",
    "gram": "g",
    "grams": "g",
    "gr": "g",
    "kilo": "kg",
    "kilogram": "kg",
    "oz": "[oz_av]",
    "ounce": "[oz_av]",
    "ounces": "[oz_av]",
    "lb": "[lb_av]",
    "lbs": "[lb_av]",
    "pound": "[lb_av]",
    "pounds": "[lb_av]",
    "sec": "s",
    "second": "s",
    "minute": "min",
    "hour": "h",
    "day": "d",
    "days": "d",
    "week": "wk",
    "month": "mo",
    "year": "a",
    "seconds": "s",
    "minutes": "min",
    "hours": "h",
    "weeks": "wk",
    "months": "mo",
    "years": "a",
    "meters": "m",
    "metres": "m",
    "liters": "L",
    "litres": "L",
    "Liter": "L",
    "Gramm": "g",
    "Zoll": "[in_i]",
    "Stunden": "h",
    "Tage": "d",
    "Monate": "mo",
    "Jahre": "a",
    "Jahr": "a",
    "litros": "L",
    "gramos": "g",
    "pulgadas": "[in_i]",
    "años": "a",
    "meses": "mo",
    "grammes": "g",
    "pouces": "[in_i]",
    "heures": "h",
    "jours": "d",
    "mois": "mo",
    "ans": "a",
    "watt": "W",
    "watts": "W",
    "hp": "[HP]",
    "volt": "V",
    "kWh": "kW.h",
    "Wh": "W.h",
    "Ah": "A.h",
    "mAh": "mA.h",
    "psi": "[psi]",
    "ohm": "Ohm",
    "Ω": "Ohm",
    "byte": "By",
    "B": "By",
    "kB": "kBy",
    "MB": "MBy",
    "GB": "GBy",
    "TB": "TBy",
    "°C": "Cel",
    "℃": "Cel",
    "°F": "[degF]",
    "percent": "%",
    "denier": "[den]",
    "den": "[den]",
    "gsm": "g/m2",
    "g/m²": "g/m2",
    "rpm": "/min",
    "°": "deg",
    "€": "EUR",
    "euro": "EUR",
    "euros": "EUR",
    "Euro": "EUR",
    "eur": "EUR",
    "Eur": "EUR",
    "$": "USD",
    "US$": "USD",
    "usd": "USD",
    "dollar": "USD",
    "£": "GBP",
    "gbp": "GBP",
    "元": "CNY",
    "RMB": "CNY",
    "Fr.": "CHF",
    "chf": "CHF",
    "C$": "CAD",
    "CA$": "CAD",
    "A$": "AUD",
    "AU$": "AUD",
    "R$": "BRL",
    "₹": "INR",
    "Rs.": "INR",
    "zł": "PLN",
    "Kč": "CZK",
    "Ft": "HUF",
    "₽": "RUB",
    "₩": "KRW",
    "₺": "TRY",
    "₴": "UAH",
    "₫": "VND",
    "₪": "ILS",
    "₱": "PHP",
    "฿": "THB",
    "毫米": "mm",
    "厘米": "cm",
    "米": "m",
    "克": "g",
    "千克": "kg",
    "公斤": "kg",
    "毫升": "mL",
    "升": "L",
}
"""What people write, and the code that they mean."""

_QUANTITY = re.compile(
    r"(?P<sign>[+-]?)\s*(?P<before>[^\d+\-.,\s'](?:[^\d+\-.,\s']|\.(?=\s))*)?\s*"
    r"(?P<number>[+-]?(?:\d|[.,]\d)(?:[\d.,]|['\s](?=\d))*(?:[eE][+-]?\d+|(?<=[.,])[-\u2013\u2014]{1,2})?)"
    r"\s*(?P<after>\D.*)?"
)


@cache
def _units() -> Mapping[str, Unit]:
    table = {c: Unit(c, dimension, f) for dimension, units in _TABLES.items() for c, f in units.items()}
    table |= {unit.code: unit for unit in _TEMPERATURES}
    return table | {c: Unit(c, f"currency {c}", 1.0) for c in _CURRENCIES.split()}


def known_units() -> frozenset[str]:
    """All codes of the table."""
    return frozenset(_units())


def find_unit(code: str) -> Unit | None:
    """The unit of a code, or of a word that people use for it; None where it is not in the table."""
    return _units().get(code) or _units().get(_SPOKEN.get(code, ""))


def _is_currency(code: str) -> bool:
    match = find_unit(code)
    return match is not None and match.dimension.startswith("currency")


def number_texts(numbers: Sequence[float], code: str | None) -> list[str]:
    """Numbers of one unit for a reader: without powers of ten, and prices with two decimals where one has any."""
    if code is not None and _is_currency(code) and any(round(n, 2) != round(n) for n in numbers):
        return [f"{n:.2f}" for n in numbers]
    return [f"{n:g}" if abs(n) < 1e5 else f"{n:.2f}".removesuffix(".00") for n in numbers]


def unit(code: str) -> Unit:
    """The unit of a code, or of a word that people use for it.

    Raises:
        InputError: It is not in the table.
    """
    match = find_unit(code)
    if match is None:
        guess = suggest_unit(code)
        todo = f'Did you mean "{guess}"?' if guess else did_you_mean(code, known_units())
        raise InputError(f'unknown unit "{code}"', expected="a UCUM code or an ISO 4217 currency", todo=todo)
    return match


def suggest_unit(code: str) -> str | None:
    """The code that a word like ``inch`` or ``CM`` probably means."""
    plain = code.strip()
    for name in (plain, plain.lower(), plain.lower().removesuffix("s")):
        if name in _SPOKEN:
            return _SPOKEN[name]
    same = [c for c in _units() if c.lower() == plain.lower()]
    near = same or get_close_matches(plain, [*_units(), *_SPOKEN], n=1, cutoff=0.75)
    return _SPOKEN.get(near[0], near[0]) if near else None


def convert(value: float, from_unit: str, to_unit: str) -> float:
    """A value in another unit of the same dimension.

    Raises:
        InputError: A unit is unknown, or the two are of different dimensions.
    """
    source, target = unit(from_unit), unit(to_unit)
    if source.dimension != target.dimension:
        raise InputError(
            f"{value:g} {from_unit} is a {source.dimension}, {to_unit} is a {target.dimension}",
            expected=f"a unit of {target.dimension}",
        )
    if source.code == target.code:
        return value
    return source.factor * (value + source.offset) / target.factor - target.offset


class Quantity(NamedTuple):
    """A number by decimal mark (``numerals.readings``), and the unit's word, empty where there is none."""

    readings: Mapping[str, float]
    word: str


def read_quantity(text: str) -> Quantity | None:
    """The number and the unit's word of ``40 cm``, ``EUR 15`` or ``-€5``; None where it is neither.

    Only currencies are written before a number: ``V2`` is a name.
    """
    match = _QUANTITY.fullmatch(plain_marks(text))
    if match is None or (match["before"] and (match["after"] or not _is_currency(match["before"].strip()))):
        return None
    numbers = readings(match["sign"] + match["number"])
    return Quantity(numbers, (match["before"] or match["after"] or "").strip()) if numbers else None
