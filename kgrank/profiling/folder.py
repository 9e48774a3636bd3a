"""The folder that ``kgrank init`` writes: ontology, mapping, run configuration, and the page of assumptions."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml

from kgrank.errors import InputError
from kgrank.files import make_folder, scratch_folder, write_text
from kgrank.ingest.clean import Clean, ingest
from kgrank.ingest.mapping import Items, Offers, default_mapping, read_mapping
from kgrank.ingest.report import REASONS
from kgrank.ontology.imports.fold import fold
from kgrank.ontology.imports.plan import Plan
from kgrank.ontology.imports.write import write_plan
from kgrank.ontology.model import AttributeType
from kgrank.ontology.read import read_ontology
from kgrank.ontology.vocabulary import plural
from kgrank.profiling.doubts import ColumnRole, Doubt, Findings, Weight
from kgrank.profiling.mapping.file import mapping_text
from kgrank.profiling.mapping.given import proposal_of
from kgrank.profiling.ontology_plan import plan_of
from kgrank.profiling.page import Page, page_html, page_text
from kgrank.profiling.propose import Proposal, propose

_MUCH = 0.05
"""Share of the rows of a file from which a reason for dropping them is a serious doubt."""

ONTOLOGY, MAPPING, RUN = "ontology", "mapping.yaml", "run.yaml"
TEXT, HTML, RECORD = "assumptions.txt", "assumptions.html", "assumptions.json"


@dataclass(frozen=True)
class Initialised:
    """What was written, and what it says."""

    folder: Path
    plan: Plan
    clean: Clean
    page: Page


def data_folder(files: Sequence[Path]) -> tuple[Path, list[str]]:
    """The folder that holds all files, and their names in it.

    Raises:
        InputError: A file is not there.
    """
    for path in files:
        if not path.is_file():
            kind = "a folder" if path.is_dir() else "no such file"
            raise InputError(f"{kind}", where=path, expected="a file of products or of events")
    common = Path(os.path.commonpath([path.parent.absolute() for path in files]))
    shown = common if any(path.is_absolute() for path in files) else Path(os.path.relpath(common))
    return shown, [path.absolute().relative_to(common).as_posix() for path in files]


def folder_of(files: Sequence[Path]) -> Path:
    """The folder's name where none is given: the first file's, without its endings."""
    name = files[0].resolve().name
    while name.partition(".")[0] and Path(name).suffix:
        name = Path(name).stem
    return Path(f"{name}-shop")


def initialise(files: Sequence[Path], out: Path, mapping: Path | None = None) -> Initialised:
    """Profiles the files of a shop and writes the folder, whole or not at all.

    Args:
        files: The files; or one data folder, which is read by a mapping.
        out: The new folder.
        mapping: The mapping of a data folder; by default its files and columns have the standard names.

    Raises:
        InputError: There is something in the folder already, or the files cannot be read as a shop.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(
            "there is something already",
            where=out,
            expected="a new or empty folder",
            todo=f"Name another with --out, or take new columns and values up: kgrank init --update {out} FILES.",
        )
    folder, proposal = _proposal(files, mapping)
    clean = ingest(folder, mapping=proposal.mapping)
    plan = plan_of(clean, proposal, out.name)
    page = page_of(clean, plan, proposal, out)
    with scratch_folder(out) as scratch:
        made = scratch / out.name
        make_folder(made / ONTOLOGY)
        write_plan(plan, fold(plan), made / ONTOLOGY)
        write_text(made / MAPPING, mapping_text(proposal.mapping))
        write_text(made / RUN, run_text(folder, out))
        write_page(page, made)
        read_ontology(made / ONTOLOGY)
        if out.exists():
            out.rmdir()
        made.rename(out)
    return Initialised(out, plan, clean, page)


def _proposal(files: Sequence[Path], mapping: Path | None) -> tuple[Path, Proposal]:
    """The data folder, and what its files are taken as."""
    if len(files) == 1 and files[0].is_dir():
        given = read_mapping(mapping) if mapping is not None else default_mapping(files[0])
        return files[0], proposal_of(given)
    if mapping is not None:
        raise InputError(
            "a mapping and files",
            where=mapping,
            expected="the data folder, since the mapping names its files",
            todo="Write kgrank init FOLDER --mapping FILE.",
        )
    folder, names = data_folder(files)
    return folder, propose(folder, names)


def run_text(folder: Path, out: Path) -> str:
    """The run configuration of a folder; its paths are as seen from where the command runs."""
    run = {
        "data": {
            "folder": str(folder),
            "ontology": str(out / ONTOLOGY),
            "mapping": str(out / MAPPING),
            "store": str(out / "graph.lb"),
        },
        "out": str(out / "out"),
    }
    head = "# Paths are as seen from the folder in which kgrank init ran.\n"
    return head + yaml.safe_dump(run, sort_keys=False, allow_unicode=True)


def write_page(page: Page, out: Path) -> None:
    """Writes the page as text, as HTML and as JSON."""
    write_text(out / TEXT, page_text(page))
    write_text(out / HTML, page_html(page))
    write_text(out / RECORD, json.dumps(page_document(page), ensure_ascii=False, indent=1) + "\n")


def page_document(page: Page) -> dict[str, Any]:
    """The page as plain values."""
    return {
        "doubts": [{**asdict(d), "weight": d.weight.name.lower()} for d in page.doubts],
        "columns": [asdict(r) for r in page.roles],
    }


def page_of(clean: Clean, plan: Plan, proposal: Proposal, out: Path) -> Page:
    """The page: the proposal's doubts, and what reading the files by it brought to light."""
    findings = Findings(_with_attributes(proposal, plan, clean), list(proposal.findings.doubts))
    findings.doubts += _dropped(clean)
    kinds = dict(clean.events["kind"].value_counts(sort=True).iter_rows())
    events = ", ".join(f"{n:,} {kind}" for kind, n in kinds.items())
    summary = (
        f"{plural(len(clean.items), 'product')} in {plural(len(plan.categories), 'category')}, "
        f"{plural(len(plan.attributes), 'attribute')}, {plural(len(plan.brands), 'brand')}.",
        f"{len(clean.events):,} events of {clean.events['user'].n_unique():,} shoppers: {events}."
        if len(clean.events)
        else "No events: training needs a log of what shoppers did.",
    )
    steps = (
        f"kgrank ontology import {out / ONTOLOGY} --rules rules.txt",
        f"kgrank train --config {out / RUN}",
        f"kgrank audit --store {out / 'graph.lb'}",
    )
    no_events = (f"kgrank load --config {out / RUN}",)
    return Page(summary, findings.ranked(), tuple(findings.roles), steps if len(clean.events) else no_events)


def _with_attributes(proposal: Proposal, plan: Plan, clean: Clean) -> list[ColumnRole]:
    """The roles of all columns; those of attributes with type, unit and number of values."""
    planned = {a.id: a for a in plan.attributes}
    named = {(r.file, r.column) for r in proposal.findings.roles}
    roles = list(proposal.findings.roles)
    sources: tuple[Items | Offers, ...] = (*proposal.mapping.items, *proposal.mapping.offers)
    for source in sources:
        for id_, field in source.attributes.items():
            column = field.column or id_
            if id_ in planned and (source.file, column) not in named:
                attribute = planned[id_]
                label = next(iter(attribute.names.values()))
                parts = [attribute.type.value] if label == column else [label, attribute.type.value]
                if attribute.type is AttributeType.NUMBER and attribute.unit not in (None, "1"):
                    parts.append(f"in {attribute.unit}")
                if attribute.values:
                    parts.append(f"{len(attribute.values)} values")
                table = clean.offers if isinstance(source, Offers) else clean.values
                texts = table.filter(table["attribute"] == id_)
                examples = texts["value"].drop_nulls().unique(maintain_order=True).to_list() or [
                    f"{n:g}" for n in texts["number"].drop_nulls().unique(maintain_order=True)[:5]
                ]
                roles.append(
                    ColumnRole(
                        source.file,
                        column,
                        "attribute",
                        ", ".join(parts),
                        texts["item"].n_unique() / max(len(clean.items), 1),
                        tuple(examples[:5]),
                    )
                )
    return roles


def _dropped(clean: Clean) -> list[Doubt]:
    """Rows that were dropped while reading, by their reason."""
    doubts = []
    for reason, count in clean.report.counts.items():
        rows = clean.report.rows.filter(clean.report.rows["reason"] == reason)
        files = ", ".join(rows["file"].unique().sort())
        examples = tuple(t for t in rows["found"].drop_nulls().unique(maintain_order=True)[:5])
        much = count > _MUCH * sum(n for file, n in clean.report.read.items() if file in set(rows["file"]))
        weight = (
            Weight.MEANING
            if much and reason not in ("duplicate row", "taken back", "return")
            else Weight.VALUE
        )
        doubts.append(Doubt(weight, files, "", f"{reason}: {REASONS[reason]}", count, examples))
    return doubts
