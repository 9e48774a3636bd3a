"""From a file of rules to the texts of an ontology's files: nothing is written here."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from kgrank.errors import InputError, did_you_mean
from kgrank.ontology.blocks import Block
from kgrank.ontology.model import Ontology, Rule
from kgrank.ontology.parsing.folded import folded_name
from kgrank.ontology.parsing.names import Vocabulary, vocabulary_of
from kgrank.ontology.parsing.sheet import SHEETS, read_rule_sheet
from kgrank.ontology.parsing.text import Mistake, StatedRule, read_text
from kgrank.ontology.parsing.write import identifier, person_block, rule_block, rule_id, statement_of
from kgrank.ontology.read import read_ontology
from kgrank.ontology.sentences import sentence
from kgrank.ontology.tables.folder import open_source
from kgrank.ontology.tables.names import DEFAULT_PREFIX, Names
from kgrank.ontology.tables.placing import errors_brought_in, texts_with
from kgrank.ontology.vocabulary import Kind

DEFAULT_AUTHOR = "Shop team"
"""Who wrote rules where neither the ontology nor the command names a person."""


@dataclass(frozen=True)
class PlannedRules:
    """What a file of rules becomes; ``texts`` are the files that change, none where there are mistakes.

    Attributes:
        texts: New texts by file name.
        sentences: The sentence of each new rule by id.
        notes: What to know: rules that are there already, new people.
        mistakes: Everything that is wrong.
    """

    texts: dict[str, str] = field(default_factory=dict)
    sentences: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    mistakes: tuple[Mistake, ...] = ()


def plan_rules(folder: Path, file: Path, author: str | None = None) -> PlannedRules:
    """The rules of a text or a sheet in the files of an ontology.

    Args:
        folder: The ontology.
        file: Sentences (any ending), or rows (.csv, .tsv, .xlsx).
        author: Who wrote them where the file does not say: a person of the ontology by id or name, or a new name.

    Raises:
        InputError: The ontology has errors, the file cannot be read, or it is not clear who wrote the rules.
    """
    ontology = read_ontology(folder)
    vocabulary = vocabulary_of(ontology)
    stated, mistakes = _read(vocabulary, file)
    if not stated and not mistakes:
        raise InputError("there is no rule in this file", where=file, todo=_EXAMPLE)
    source = open_source(folder)
    names = source.names()
    spaces = {DEFAULT_PREFIX[k]: names.namespace(k) for k in (Kind.RULE, Kind.PERSON)}
    names = source.names(spaces)
    people = _People(vocabulary, names)
    usual = people.of(author) if author or not all(s.creator for s in stated) else ""
    blocks: dict[str, Block] = {}
    sentences: dict[str, str] = {}
    where: dict[str, StatedRule] = {}
    notes: list[str] = []
    known = {rule.id: rule for rule in ontology.rules.values()}
    statements = {repr(statement_of(rule)): rule for rule in known.values()}
    for entry in stated:
        same = statements.get(repr(statement_of(entry.rule)))
        if same is not None:
            if same.sure != entry.rule.sure:
                mistakes.append(_disagreement(entry, same, where))
            else:
                notes.append(f"{entry.where}: the same as {_origin(same, where)}; written once")
            continue
        id_ = entry.id or rule_id(entry.rule, known)
        if id_ in known:
            mistakes.append(
                Mistake(
                    entry.where,
                    f"there is a rule {id_} already, and it says something else",
                    "Give it another id",
                )
            )
            continue
        iri = names.namespace(Kind.RULE) + id_
        creator = people.of(entry.creator) if entry.creator else usual
        rule = replace(entry.rule, id=id_, iri=iri, creator=creator)
        known[id_] = rule
        statements[repr(statement_of(rule))] = rule
        blocks[iri] = rule_block(rule, ontology)
        sentences[id_] = sentence(rule, ontology)
        where[iri] = entry
    notes += people.notes
    if mistakes:
        return PlannedRules(mistakes=tuple(mistakes), notes=tuple(notes))
    if not blocks:
        return PlannedRules(notes=tuple(notes))
    texts = texts_with(source, names, {}, {**people.added, **blocks}, {})
    refused = [
        Mistake(where[iri].where if iri in where else f"{m.file}:{m.line}", f"{m.code} {m.text}", m.advice)
        for m, iri in errors_brought_in(source, texts)
    ]
    if refused:
        return PlannedRules(notes=tuple(notes), mistakes=tuple(refused))
    return PlannedRules(texts, sentences, tuple(notes))


_EXAMPLE = "Write sentences like: In Shoes, price matters more than color. I am 80% sure, because …"


def _read(vocabulary: Vocabulary, file: Path) -> tuple[list[StatedRule], list[Mistake]]:
    if file.suffix.lower() in SHEETS:
        return read_rule_sheet(vocabulary, file)
    try:
        text = file.read_bytes().decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", where=file) from None
    except UnicodeDecodeError:
        raise InputError("the file is not UTF-8", where=file, todo="Save it as UTF-8 text.") from None
    if "\0" in text:
        raise InputError("this is no text", where=file, expected="sentences, or a sheet (.csv, .xlsx)")
    return read_text(vocabulary, text, str(file))


def _disagreement(entry: StatedRule, same: Rule, where: dict[str, StatedRule]) -> Mistake:
    sure, other = (("always" if r.hard else f"{100 * r.sure:.4g}% sure") for r in (entry.rule, same))
    problem = f"this rule is {sure} here and {other} in {_origin(same, where)}"
    return Mistake(entry.where, problem, "Say it once, or change kg:sure there")


def _origin(rule: Rule, where: dict[str, StatedRule]) -> str:
    return where[rule.iri].where if rule.iri in where else f"the rule {rule.id}"


@dataclass
class _People:
    """The people who write rules, those of the ontology and new ones."""

    vocabulary: Vocabulary
    names: Names
    added: dict[str, Block] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def of(self, author: str | None) -> str:
        """The IRI of a person by id or name; of the only one, or of ``DEFAULT_AUTHOR``, where none is named."""
        people = self.vocabulary.ontology.people
        if not author and len(people) > 1:
            listed = ", ".join(f"{p.name()} ({p.id})" for p in people.values())
            raise InputError(
                "it is not said who wrote the rules", expected="--author PERSON", todo=f"Known: {listed}."
            )
        if not author and people:
            return next(iter(people.values())).iri
        name = author or DEFAULT_AUTHOR
        ids = self.vocabulary.find(Kind.PERSON, folded_name(name))
        if len(ids) > 1:
            raise InputError(f"{name} is the name of {' and '.join(ids)}", expected="the id of a person")
        return people[ids[0]].iri if ids else self._new(name)

    def _new(self, name: str) -> str:
        id_ = identifier(name)
        if not id_:
            raise InputError(f"{name!r} is no name of a person", expected="--author NAME")
        iri = self.names.namespace(Kind.PERSON) + id_
        if iri not in self.added:
            ontology: Ontology = self.vocabulary.ontology
            self.added[iri] = person_block(iri, name.strip(), ontology.languages[0])
            hint = did_you_mean(name, [p.name() for p in ontology.people.values()])
            near = f" {hint}" if hint.startswith("Did") else ""
            self.notes.append(f"the author {name.strip()} is new: p:{id_}.{near}")
        return iri
