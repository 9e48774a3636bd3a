"""``kgrank init --update``: new columns, categories, brands and values as a partial edit of a shop's own files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl
from pyoxigraph import Literal, NamedNode

from kgrank.errors import InputError
from kgrank.files import scratch_folder, write_text
from kgrank.ingest.cells.normalise import find_categories, ids_by_name, same
from kgrank.ingest.clean import Clean, ingest
from kgrank.ingest.mapping import AttributeField, Items, Offers, read_mapping
from kgrank.ingest.mapping import Mapping as ShopMapping
from kgrank.ingest.named import mapped_columns
from kgrank.ingest.raw import STEP
from kgrank.ingest.run_files import run_files
from kgrank.ontology.blocks import Block, Document, Members, Object, Statement, read_blocks
from kgrank.ontology.check.parse import turtle_files
from kgrank.ontology.edit import edit_blocks
from kgrank.ontology.imports.fold import Folded
from kgrank.ontology.imports.plan import Plan, PlannedAttribute, PlannedCategory
from kgrank.ontology.imports.write import (
    BASE,
    attribute_block,
    brand_blocks,
    category_block,
    shop_prefixes,
    value_blocks,
)
from kgrank.ontology.layout import joined
from kgrank.ontology.model import BRAND, AttributeType, Ontology, Term
from kgrank.ontology.read import read_ontology
from kgrank.ontology.vocabulary import ALT_LABEL, KG, TYPE
from kgrank.profiling.doubts import Findings
from kgrank.profiling.folder import MAPPING, ONTOLOGY, RUN, page_of, write_page
from kgrank.profiling.items.attribute_fields import ProposedAttribute, slug, unused_id
from kgrank.profiling.key_collision import keys
from kgrank.profiling.mapping.edit import with_attributes
from kgrank.profiling.ontology_plan import plan_of
from kgrank.profiling.page import Page
from kgrank.profiling.propose import Proposal, propose


@dataclass(frozen=True)
class Updated:
    """What was added to the files of a folder.

    Attributes:
        folder: The folder.
        attributes, categories, brands: Labels of the new ones.
        values: Labels of the new values, by attribute.
        spellings: New spellings of values and brands that were there.
        page: What the files are taken as now.
    """

    folder: Path
    attributes: tuple[str, ...]
    categories: tuple[str, ...]
    brands: tuple[str, ...]
    values: Mapping[str, tuple[str, ...]]
    spellings: tuple[str, ...]
    page: Page

    @property
    def empty(self) -> bool:
        """Whether nothing was new."""
        return not (self.attributes or self.categories or self.brands or self.values or self.spellings)


@dataclass
class _Additions:
    """Blocks to put in the place of others, and new ones, by the kind of thing."""

    changed: dict[str, Block] = field(default_factory=dict)
    added: dict[str, list[Block]] = field(default_factory=dict)
    attributes: list[str] = field(default_factory=list)
    categories: list[str] = field(default_factory=list)
    brands: list[str] = field(default_factory=list)
    values: dict[str, list[str]] = field(default_factory=dict)
    spellings: list[str] = field(default_factory=list)


def update(folder: Path, files: Sequence[Path]) -> Updated:
    """Takes up what the files have and the folder's ontology and mapping do not; whatever is there stays.

    Args:
        folder: What ``initialise`` wrote, edited or not.
        files: The files to read anew; those of the mapping where none is named.

    Raises:
        InputError: The folder is none that init wrote, or the result would not pass its check.
    """
    for name in (MAPPING, RUN):
        if not (folder / name).is_file():
            raise InputError(
                f"there is no {name}",
                where=folder,
                expected="a folder that kgrank init wrote",
                todo="Make one: kgrank init FILES --out DIR.",
            )
    data = run_files(folder / RUN).folder
    if data is None:
        raise InputError(
            "the configuration does not say where the files are",
            where=folder / RUN,
            expected="data: {folder: …}",
        )
    mapping, ontology = read_mapping(folder / MAPPING), read_ontology(folder / ONTOLOGY)
    names = list(dict.fromkeys(s.file for s in mapping.sources))
    _refuse_strangers(files, data, names)
    proposal = propose(data, names)
    mapping_text = (folder / MAPPING).read_text(encoding="utf-8")
    mapping, mapping_text, new = _with_new_columns(mapping, mapping_text, proposal, ontology, folder)
    clean = ingest(data, mapping=mapping)
    proposal = replace(proposal, mapping=mapping, attributes=_labels(mapping, ontology, new))
    plan = plan_of(clean, replace(proposal, findings=Findings()), "")
    additions = _additions(folder / ONTOLOGY, ontology, clean, plan, {a.id for a in new})
    texts = _edited(folder / ONTOLOGY, additions)
    _check(texts, mapping, data)
    for path, text in texts.items():
        write_text(path, text)
    write_text(folder / MAPPING, mapping_text)
    page = page_of(clean, plan, proposal, folder)
    write_page(page, folder)
    return Updated(
        folder,
        tuple(additions.attributes),
        tuple(additions.categories),
        tuple(additions.brands),
        {a: tuple(texts_) for a, texts_ in additions.values.items()},
        tuple(additions.spellings),
        page,
    )


def _refuse_strangers(files: Sequence[Path], data: Path, names: Sequence[str]) -> None:
    known = {(data / name).resolve() for name in names}
    for path in files:
        if path.resolve() not in known:
            raise InputError(
                "the mapping does not name this file",
                where=path,
                expected=f"one of {', '.join(str(data / n) for n in names)}",
                todo="Put the new file in the place of the old one, or make a new folder: kgrank init.",
            )


def _with_new_columns(
    mapping: ShopMapping, text: str, proposal: Proposal, ontology: Ontology, folder: Path
) -> tuple[ShopMapping, str, list[ProposedAttribute]]:
    """The mapping and its text with the attributes of columns that were not there before."""
    new: list[ProposedAttribute] = []
    sources = list(mapping.items)
    labels = {a.id: a for a in proposal.attributes}
    taken = {*ontology.attributes, *(i for s in mapping.items for i in s.attributes)}
    for index, source in enumerate(sources):
        same_file = [s for s in mapping.items if s.file == source.file]
        seen = {c for s in same_file for c in (*mapped_columns(s), *s.leave_out)}
        if any(s.file == source.file for s in sources[:index]):
            continue
        fields: dict[str, AttributeField] = {}
        for proposed in proposal.mapping.items:
            for id_, attribute in proposed.attributes.items():
                column = attribute.column or id_
                if proposed.file != source.file or proposed.where or column in seen:
                    continue
                name = unused_id(labels[id_].label if id_ in taken else id_, "attribute", taken)
                taken.add(name)
                fields[name] = attribute
                new.append(labels[id_]._replace(id=name, field=attribute))
        sources[index] = replace(source, attributes={**source.attributes, **fields})
        text = with_attributes(text, index, fields, folder / MAPPING)
    return replace(mapping, items=tuple(sources)), text, new


def _labels(
    mapping: ShopMapping, ontology: Ontology, new: Sequence[ProposedAttribute]
) -> tuple[ProposedAttribute, ...]:
    """All attributes of the mapping with their labels, which the ontology has for those that were there."""
    added = {a.id: a for a in new}
    names = ids_by_name(ontology.attributes.values())
    language = ontology.languages[0]
    known = {}
    sources: tuple[Items | Offers, ...] = (*mapping.items, *mapping.offers)
    for source in sources:
        for id_, attribute in source.attributes.items():
            term = ontology.attributes.get(names.get(same(id_), id_))
            label = term.name(language) if term is not None else id_
            known[id_] = added.get(id_) or ProposedAttribute(id_, attribute, label)
    return tuple(known.values())


def _additions(
    folder: Path, ontology: Ontology, clean: Clean, plan: Plan, new_attributes: set[str]
) -> _Additions:
    """What the plan of the data has and the ontology does not."""
    additions, blocks, base = _Additions(), _blocks(folder), _base(ontology)
    language = ontology.languages[0]
    ids = _categories(additions, ontology, clean, plan, base)
    names = ids_by_name(ontology.attributes.values())
    for attribute in plan.attributes:
        if attribute.id == BRAND:
            _brands(additions, ontology, plan, blocks, language, base)
        elif attribute.id in new_attributes:
            additions.attributes.append(attribute.names[plan.languages[0]])
            renamed = replace(attribute, names={language: attribute.names[plan.languages[0]]})
            additions.added.setdefault("attribute", []).append(attribute_block(renamed, language, base))
            additions.added.setdefault("value", []).extend(value_blocks(renamed, language, base))
        elif attribute.values:
            _values(
                additions,
                ontology,
                names.get(same(attribute.id), attribute.id),
                attribute,
                blocks,
                language,
                base,
            )
    for category in plan.categories:
        here = [a for a in category.uses if a in new_attributes]
        iri = ontology.categories[ids[category.id]].iri if ids[category.id] in ontology.categories else None
        if iri is not None and here:
            above = set() if category.parent is None else _uses_of(plan, category.parent)
            added = tuple(NamedNode(f"{base}attribute/{a}") for a in here if a not in above)
            if added:
                block = additions.changed.get(iri, blocks[iri])
                additions.changed[iri] = _with_objects(block, KG + "allows", added)
    return additions


def _uses_of(plan: Plan, category: str) -> set[str]:
    return {a for c in plan.categories if c.id == category for a in c.uses}


def _categories(
    additions: _Additions, ontology: Ontology, clean: Clean, plan: Plan, base: str
) -> dict[str, str]:
    """Adds the new categories; answers with the id of each category of the plan."""
    inferred = clean.ontology
    ids: dict[str, str] = {}
    taken = set(ontology.categories)
    for category, planned in zip(inferred.categories, plan.categories, strict=True):
        path = STEP.join(inferred.categories[c].name() for c in reversed(inferred.lineage(category)))
        known = find_categories(pl.Series([path]), ontology)[path]
        if known is not None:
            ids[planned.id] = known
            continue
        id_ = unused_id(planned.id, "category", taken)
        taken.add(id_)
        ids[planned.id] = id_
        parent = ids[planned.parent] if planned.parent else None
        above = set(ontology.applicable(parent)) if parent and parent in ontology.categories else set()
        uses = {a: need for a, need in planned.uses.items() if a not in above}
        label = next(iter(planned.names.values()))
        names = {ontology.languages[0]: label}
        block = category_block(PlannedCategory(id_, names, parent, uses), Folded(uses, ()), base)
        additions.added.setdefault("category", []).append(block)
        additions.categories.append(label)
    return ids


def _values(
    additions: _Additions,
    ontology: Ontology,
    id_: str,
    attribute: PlannedAttribute,
    blocks: Mapping[str, Block],
    language: str,
    base: str,
) -> None:
    """Adds the new values of an attribute, and new spellings of those that it has."""
    known = ontology.attributes[id_]
    if known.type not in (AttributeType.CHOICE, AttributeType.CHOICES, AttributeType.ORDERED):
        return
    terms = [ontology.values[v] for v in known.values if v in ontology.values]
    names, by_key = ids_by_name(terms), {key: t for t in terms for key in keys(t.name(language))}
    new: dict[str, str] = {}
    for planned, texts in attribute.values.items():
        text = next(iter(texts.values()))
        spellings = (text, *attribute.value_synonyms.get(planned, ()))
        term = next((ontology.values[names[same(s)]] for s in spellings if same(s) in names), None)
        term = term or next((by_key[key] for key in keys(text) if key in by_key), None)
        unknown = [s for s in spellings if same(s) not in names]
        if term is not None:
            _spell(additions, term, unknown, blocks, language)
        elif unknown:
            taken = {v.removeprefix(f"{id_}.") for v in (*ontology.values, *new)}
            value = f"{id_}.{unused_id(slug(text), 'value', taken)}"
            new[value] = text
            block = PlannedAttribute(
                id_, {}, known.type, {value: {language: text}}, value_synonyms={value: spellings[1:]}
            )
            additions.added.setdefault("value", []).extend(value_blocks(block, language, base))
            additions.values.setdefault(known.name(language), []).append(text)
    if new:
        iris = tuple(NamedNode(f"{base}value/{v}") for v in new)
        additions.changed[known.iri] = _with_members(blocks[known.iri], KG + "values", iris)


def _brands(
    additions: _Additions,
    ontology: Ontology,
    plan: Plan,
    blocks: Mapping[str, Block],
    language: str,
    base: str,
) -> None:
    """Adds the new brands, and new spellings of those that are there."""
    names = ids_by_name(ontology.brands.values())
    by_key = {key: t for t in ontology.brands.values() for key in keys(t.name(language))}
    taken = set(ontology.brands)
    for planned, text in plan.brands.items():
        spellings = (text, *plan.brand_synonyms.get(planned, ()))
        term = next((ontology.brands[names[same(s)]] for s in spellings if same(s) in names), None)
        term = term or next((by_key[key] for key in keys(text) if key in by_key), None)
        unknown = [s for s in spellings if same(s) not in names]
        if term is not None:
            _spell(additions, term, unknown, blocks, language)
            continue
        id_ = unused_id(text, "brand", taken)
        taken.add(id_)
        one = Plan((), brands={id_: text}, brand_synonyms={id_: spellings[1:]}, languages=(language,))
        additions.added.setdefault("brand", []).extend(brand_blocks(one, base))
        additions.brands.append(text)


def _spell(
    additions: _Additions, term: Term, texts: Sequence[str], blocks: Mapping[str, Block], language: str
) -> None:
    if texts:
        block = additions.changed.get(term.iri, blocks[term.iri])
        labels = tuple(Literal(text, language=language) for text in texts)
        additions.changed[term.iri] = _with_objects(block, ALT_LABEL, labels)
        additions.spellings += [f"{text} = {term.name(language)}" for text in texts]


def _with_objects(block: Block, word: str, objects: tuple[Object, ...]) -> Block:
    """The block with more objects of a word."""
    if block.objects(word):
        more = [replace(s, objects=(*s.objects, *objects)) if s.word == word else s for s in block.statements]
        return replace(block, statements=tuple(more))
    return replace(block, statements=(*block.statements, Statement(word, objects)))


def _with_members(block: Block, word: str, members: tuple[Object, ...]) -> Block:
    """The block with more members at the end of a word's list."""
    old = next((o for o in block.objects(word) if isinstance(o, Members)), Members(()))
    statement = Statement(word, (Members((*old.items, *members)),))
    statements = [replace(s, objects=statement.objects) if s.word == word else s for s in block.statements]
    if not block.objects(word):
        statements.append(statement)
    return replace(block, statements=tuple(statements))


def _blocks(folder: Path) -> dict[str, Block]:
    """All things of an ontology's files, by IRI."""
    return {b.iri: b for _, document in _documents(folder) for b in joined(document).blocks if b.iri}


def _documents(folder: Path) -> Iterator[tuple[Path, Document]]:
    for path in turtle_files(folder):
        yield path, read_blocks(path.read_text(encoding="utf-8"))


def _base(ontology: Ontology) -> str:
    """What the IRIs of the shop begin with."""
    for category in ontology.categories.values():
        if category.iri.endswith(f"category/{category.id}"):
            return category.iri.removesuffix(f"category/{category.id}")
    return BASE


_FILES = {
    "attribute": "attributes.ttl",
    "value": "values.ttl",
    "brand": "ontology.ttl",
    "category": "categories.ttl",
}
"""The file that takes up new things of a kind, where none has things of that kind already."""


def _edited(folder: Path, additions: _Additions) -> dict[Path, str]:
    """The texts of the files with additions, by path."""
    documents = dict(_documents(folder))
    texts = {path: path.read_text(encoding="utf-8") for path in documents}
    target = {kind: _file_of(kind, documents, folder) for kind in additions.added}
    result: dict[Path, str] = {}
    for path in dict.fromkeys([*documents, *target.values()]):
        inside = {b.iri for b in documents[path].blocks} if path in documents else set()
        changed = {iri: block for iri, block in additions.changed.items() if iri in inside}
        added = [b for kind, blocks in additions.added.items() if target[kind] == path for b in blocks]
        if changed or added:
            prefixes = shop_prefixes()
            result[path] = edit_blocks(texts.get(path, ""), changed, added, (), prefixes)
    return result


def _file_of(kind: str, documents: Mapping[Path, Document], folder: Path) -> Path:
    """The file with the most things of a kind."""
    type_ = NamedNode(KG + kind.capitalize())
    counts = {p: sum(type_ in b.objects(TYPE) for b in d.blocks) for p, d in documents.items()}
    best = max(counts, key=lambda p: counts[p], default=None)
    return best if best is not None and counts[best] and kind != "category" else folder / _FILES[kind]


def _check(texts: Mapping[Path, str], mapping: ShopMapping, data: Path) -> None:
    """Reads a copy with the additions as ``load`` would, before anything is written.

    Raises:
        InputError: It would not pass.
    """
    if not texts:
        return
    folder = next(iter(texts)).parent
    with scratch_folder() as scratch:
        for path in turtle_files(folder):
            write_text(scratch / path.name, texts.get(path, path.read_text(encoding="utf-8")))
        for path, text in texts.items():
            write_text(scratch / path.name, text)
        ingest(data, ontology=read_ontology(scratch), mapping=mapping)
