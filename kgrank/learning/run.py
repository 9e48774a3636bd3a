"""One training run: files into the store, the graph into weights, the weights into a file and back."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from kgrank import interrupts
from kgrank.errors import InputError
from kgrank.files import make_folder, write_text
from kgrank.freed_memory import give_back_freed_memory
from kgrank.graph.build import build_graph
from kgrank.graph.connect import file_of, open_store
from kgrank.graph.schema import BOOKKEEPING, EDGES, LEARNED_EDGES, NODES
from kgrank.graph.store import GraphStore, load_graph
from kgrank.graph.sync import load
from kgrank.graph.tables import KnowledgeGraph
from kgrank.ingest.clean import ingest
from kgrank.ingest.mapping import read_mapping
from kgrank.learning.configuration.config import DataConfig, RunConfig
from kgrank.learning.configuration.extras import require_network
from kgrank.learning.learn import Learned, learn, stage_count
from kgrank.learning.prior_means import PriorMeanSource, closed_form
from kgrank.learning.reporting.only_run import only_run
from kgrank.learning.reporting.progress import NO_PROGRESS, Progress
from kgrank.ontology.document import load as ontology_of
from kgrank.ontology.model import Ontology
from kgrank.ontology.read import read_ontology
from kgrank.weights.artefact import write_transitions, write_weights
from kgrank.weights.posteriors import posteriors_document
from kgrank.weights.tables import weights_to_tables

WRITE_WAIT = 600.0
"""Seconds to wait for a process that has an embedded store open when the weights are there."""


def run(config: RunConfig, progress: Progress = NO_PROGRESS) -> dict[str, Any]:
    """Runs a configuration; returns a summary for scripts.

    Writes ``weights.json``, ``transitions.parquet`` and ``config.yaml``, with a network also checkpoints and
    logs, below ``config.out``, and one new version of the weights into the store, which it then serves. The store
    is open while it is read and while it is written, so that others can read it in between.

    Raises:
        KeyboardInterrupt: Ctrl-C came before there were weights.
        RunError: Another training writes into ``config.out``, or the run cannot start.
    """
    with only_run(Path(config.out), "training"), interrupts.heeding_signals():
        return _run(config, progress)


def _run(config: RunConfig, progress: Progress) -> dict[str, Any]:
    began = time.monotonic()
    out = Path(config.out)
    source = prior_mean_source(config)
    progress.begin(1 + stage_count(config) + 1)
    file = file_of(config.data.store)
    if config.data.folder is not None and file is not None:
        # This run makes the store, so it makes its folder too.
        make_folder(file.parent)
    with open_store(config.data.store) as store:
        progress.stage("reading the graph" if config.data.folder is None else f"loading {config.data.folder}")
        graph, ontology = read_data(store, config.data, progress)
    give_back_freed_memory()
    write_text(out / "config.yaml", yaml.safe_dump(config.document(), sort_keys=False, allow_unicode=True))
    with interrupts.delayed_signals():
        learned = learn(graph, ontology, config, source, progress)
        # What is written takes about as much memory as the graph.
        del graph
        give_back_freed_memory()
        progress.stage(f"writing {out / 'weights.json'} and {store.address}")
        with open_store(config.data.store, wait=WRITE_WAIT) as store:
            _write(learned, out, store)
    weights = learned.weights
    return {
        "weights": str(out / "weights.json"),
        "version": weights.version,
        "store": config.data.store,
        "categories": len(weights.categories),
        **weights.metrics,
        "contradicted_rules": [f.rule for f in weights.findings if f.verdict == "contradicted"],
        "warnings": len(weights.concerns),
        "interrupted": learned.interrupted or interrupts.is_pending(),
        "left_out": list(learned.left_out),
        "seconds": round(time.monotonic() - began, 1),
    }


def prior_mean_source(config: RunConfig) -> PriorMeanSource:
    """What gives the prior means of a run: the closed form, or the network of its configuration.

    Raises:
        RunError: The network's extra is not installed, or its block of the configuration is wrong.
    """
    if config.network is None:
        return closed_form
    require_network()
    from kgrank.learning.network.prior_means import NetworkPriorMeans

    return NetworkPriorMeans.of(config)


def read_data(store: GraphStore, data: DataConfig, progress: Progress) -> tuple[KnowledgeGraph, Ontology]:
    """The graph to learn from, after loading the files of ``data.folder`` if there are any."""
    if data.folder is not None:
        ontology = None if data.ontology is None else read_ontology(Path(data.ontology))
        mapping = None if data.mapping is None else read_mapping(Path(data.mapping))
        clean = ingest(Path(data.folder), ontology=ontology, mapping=mapping)
        for note in clean.notes:
            progress.note(note)
        progress.note(f"into {store.address}")
        changes = load(store, build_graph(clean), progress.step)
        if changes.forgotten:
            progress.note(f"forgotten users who are left out with their events: {changes.forgotten:,}")
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
        graph = graph.until(_time(data.until))
    return graph, ontology_of(rows["document"][0])


def _time(text: str) -> int:
    """Epoch seconds of an ISO 8601 time, or an order number."""
    if text.isdigit():
        return int(text)
    try:
        time_ = datetime.fromisoformat(text)
    except ValueError:
        raise InputError(
            f"{text!r} is no time", where="data.until", expected="2026-09-30 or 2026-09-30T12:00:00"
        ) from None
    return int((time_ if time_.tzinfo else time_.replace(tzinfo=UTC)).timestamp())


def _write(learned: Learned, out: Path, store: GraphStore) -> None:
    write_weights(out / "weights.json", learned.weights)
    write_transitions(out / "weights.json", learned.transitions)
    posteriors = posteriors_document(learned.posteriors)
    nodes, edges = weights_to_tables(learned.weights, learned.transitions, posteriors)
    store.replace_version(learned.weights.version, nodes, edges)


def say(text: str) -> None:
    """A line on standard error."""
    print(text, file=sys.stderr, flush=True)
