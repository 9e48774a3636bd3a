"""Documents of earlier formats, brought to the present one: members that have other names since."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_FINDING = {
    "sure": "confidence",
    "chance": "prob_prior",
    "data": "prob_data",
    "posterior": "prob_posterior",
    "evidence": "log_bayes_factor",
    "right": "prob_rule_right",
    "choices": "choice_count",
    "people": "person_count",
}
_COUNTS = {"choices": "choice_count", "people": "person_count"}
_INTERVAL = {"weight": "share", "low": "lower", "high": "upper"}
_SEGMENT = {"low": "start", "high": "stop"}
_COLUMNS = {
    "low": "p05",
    "high": "p95",
    "least": "minimum",
    "most": "maximum",
    "mean": "share",
    "items": "item_count",
}


def weights_from_1(body: dict[str, Any]) -> dict[str, Any]:
    """Format 1 of the weights as format 2."""
    categories = {
        name: {
            **_renamed(category, _COUNTS),
            "attributes": _each(category, "attributes", _INTERVAL),
            "utilities": [
                {**utility, "segments": _each(utility, "segments", _SEGMENT)}
                for utility in category.get("utilities", ())
            ],
        }
        for name, category in body.get("categories", {}).items()
    }
    terms = [
        term | ({"flows": _each(term, "flows", {"amount": "count"})} if "flows" in term else {})
        for term in body.get("terms", ())
    ]
    return {
        **body,
        "categories": categories,
        "terms": terms,
        "findings": _each(body, "findings", _FINDING),
        "concerns": _each(body, "concerns", {"text": "problem"}),
    }


def posteriors_from_1(body: dict[str, Any]) -> dict[str, Any]:
    """Format 1 of the posteriors beside the weights as format 2."""
    categories = {
        name: {
            **_renamed(category, {**_COUNTS, "home": "own_choices"}),
            "attributes": _each(category, "attributes", _COLUMNS),
        }
        for name, category in body.get("categories", {}).items()
    }
    return {**body, "categories": categories}


def _each(holder: Mapping[str, Any], member: str, names: Mapping[str, str]) -> list[dict[str, Any]]:
    return [_renamed(entry, names) for entry in holder.get(member, ())]


def _renamed(entry: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {names.get(name, name): value for name, value in entry.items()}
