"""One training run: files into the store, the graph into weights, the weights into a file and back."""

from __future__ import annotations

import logging
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from lightning.pytorch.loggers import Logger, TensorBoardLogger, WandbLogger

from kgrank.errors import InputError, RunError
from kgrank.graph.build import build_graph
from kgrank.graph.connect import file_of, open_store
from kgrank.graph.schema import BOOKKEEPING, EDGES, LEARNED_EDGES, NODES
from kgrank.graph.store import GraphStore, load_graph
from kgrank.graph.sync import load
from kgrank.graph.tables import KnowledgeGraph
from kgrank.ingest.clean import ingest
from kgrank.ingest.mapping import read_mapping
from kgrank.learning.config import DataConfig, RunConfig
from kgrank.learning.interrupt import heeding_ctrl_c
from kgrank.learning.learn import Learned, learn
from kgrank.ontology.document import load as ontology_of
from kgrank.ontology.model import Ontology
from kgrank.ontology.read import read_ontology
from kgrank.weights.artefact import write_transitions, write_weights
from kgrank.weights.posteriors import posteriors_document
from kgrank.weights.tables import weights_to_tables

Report = Callable[[str], None]


def run(config: RunConfig, report: Report) -> dict[str, Any]:
    """Runs a configuration; returns what a script wants to know.

    Writes ``weights.json``, ``transitions.parquet``, ``config.yaml``, checkpoints and logs below
    ``config.out``, and one new version of the weights into the store, which it then serves.
    """
    began = time.monotonic()
    out = Path(config.out)
    resume = _checkpoint(config, out)
    file = file_of(config.data.store)
    if config.data.folder is not None and file is not None:
        # This run makes the store, so it makes its folder too.
        file.parent.mkdir(parents=True, exist_ok=True)
    store = open_store(config.data.store)
    try:
        graph, ontology = read_data(store, config.data, report)
        out.mkdir(parents=True, exist_ok=True)
        (out / "config.yaml").write_text(yaml.safe_dump(asdict(config), sort_keys=False), encoding="utf-8")
        with heeding_ctrl_c(report) as heard:
            learned = learn(
                graph,
                ontology,
                config,
                logger=_logger(config, out),
                checkpoints=out / "checkpoints",
                resume=resume,
                report=heard,
            )
        _write(learned, out, store, report)
    finally:
        store.close()
    weights = learned.weights
    return {
        "weights": str(out / "weights.json"),
        "version": weights.version,
        "store": config.data.store,
        "categories": len(weights.categories),
        **weights.metrics,
        "contradicted_rules": [f.rule for f in weights.findings if f.verdict == "contradicted"],
        "warnings": len(weights.concerns),
        "interrupted": learned.interrupted,
        "seconds": round(time.monotonic() - began, 1),
    }


def read_data(store: GraphStore, data: DataConfig, report: Report) -> tuple[KnowledgeGraph, Ontology]:
    """The graph to learn from, after loading the files of ``data.folder`` if there are any."""
    if data.folder is not None:
        ontology = None if data.ontology is None else read_ontology(Path(data.ontology))
        mapping = None if data.mapping is None else read_mapping(Path(data.mapping))
        clean = ingest(Path(data.folder), ontology=ontology, mapping=mapping)
        for note in clean.notes:
            report(note)
        report(f"loading {data.folder} into {store.address}")
        load(store, build_graph(clean))
    labels = [n for n in NODES if n not in BOOKKEEPING]
    graph = load_graph(store, labels, [e for e in EDGES if e not in LEARNED_EDGES])
    rows = graph.node("Ontology")
    if rows.is_empty():
        raise InputError(
            "the store holds no shop",
            where=store.address,
            expected="a graph that `kgrank load` has written",
            todo="Name data.folder in the configuration, or run `kgrank load FOLDER --store ADDRESS` first.",
        )
    if data.until is not None:
        graph = graph.until(_moment(data.until))
    return graph, ontology_of(rows["document"][0])


def _moment(text: str) -> int:
    """Epoch seconds of an ISO 8601 time, or an order number."""
    if text.isdigit():
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InputError(
            f"{text!r} is no time", where="data.until", expected="2026-09-30 or 2026-09-30T12:00:00"
        ) from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def _checkpoint(config: RunConfig, out: Path) -> Path | None:
    if config.resume is None:
        return None
    if not config.model.network:
        raise RunError(
            "without a network there is no training to go on with",
            where="model.network",
            todo="Train without --resume, or with --model.network true.",
        )
    path = out / "checkpoints" / "last.ckpt" if config.resume == "last" else Path(config.resume)
    if not path.is_file():
        raise RunError(
            "there is no such checkpoint", where=path, todo="Train without --resume, or name a .ckpt file."
        )
    return path


def _logger(config: RunConfig, out: Path) -> Logger | bool:
    if config.logger == "none":
        return False
    if config.logger == "wandb":
        return WandbLogger(project="kgrank", name=out.name, save_dir=str(out))
    return TensorBoardLogger(out, name="logs")


def _write(learned: Learned, out: Path, store: GraphStore, report: Report) -> None:
    report(f"writing {out / 'weights.json'} and {store.address}")
    write_weights(out / "weights.json", learned.weights)
    write_transitions(out / "weights.json", learned.transitions)
    posteriors = posteriors_document(learned.posteriors)
    nodes, edges = weights_to_tables(learned.weights, learned.transitions, posteriors)
    store.replace_version(learned.weights.version, nodes, edges)


def quiet() -> None:
    """Leaves out what libraries say and a user can do nothing about."""
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", module=r"(lightning|torch|torch_geometric)\b")
    warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta")


def say(text: str) -> None:
    """Progress on standard error."""
    print(text, file=sys.stderr, flush=True)
