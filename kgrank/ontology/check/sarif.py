"""Messages as SARIF 2.1.0, which code hosts show beside the lines of a change."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from kgrank.ontology.check.codes import CODES
from kgrank.ontology.check.messages import Message

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def sarif(folder: Path, messages: Iterable[Message]) -> str:
    """One SARIF document; paths are those of the folder as it was named, with forward slashes."""
    listed = list(messages)
    titles = {c.code: c for c in CODES}
    rules: list[dict[str, Any]] = []
    for code in sorted({m.code for m in listed}):
        rule: dict[str, Any] = {"id": code}
        if code in titles:
            rule["shortDescription"] = {"text": titles[code].title}
            rule["help"] = {"text": titles[code].todo}
        rules.append(rule)
    driver = {"name": "kgrank", "rules": rules}
    run = {"tool": {"driver": driver}, "results": [_result(folder, m) for m in listed]}
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, ensure_ascii=False, indent=2)


def _result(folder: Path, message: Message) -> dict[str, Any]:
    # A missing file has no line; SARIF counts from 1.
    region = {"startLine": max(1, message.line), "startColumn": message.column}
    artifact = {"uri": (folder / message.file).as_posix()}
    return {
        "ruleId": message.code,
        "level": message.severity,
        "message": {"text": f"{message.text}. {message.advice}"},
        "locations": [{"physicalLocation": {"artifactLocation": artifact, "region": region}}],
    }
