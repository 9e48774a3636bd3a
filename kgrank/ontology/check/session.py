"""A check that is kept open: after an edit only what the edit can reach is checked again.

The same checks run as for a whole folder, over a part of the statements that holds everything they look at:
the things edited, whatever names them, what all these lead to, and things that share a name or a code.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path

from pyoxigraph import BlankNode, Literal, NamedNode

from kgrank.errors import InputError, did_you_mean
from kgrank.ontology.check.folder import examine_graph
from kgrank.ontology.check.graph import Graph, Predicates
from kgrank.ontology.check.messages import Message
from kgrank.ontology.check.parse import divided_prefixes, parse_file, parse_files, together, unread_files
from kgrank.ontology.check.pause import keep, uncollected
from kgrank.ontology.vocabulary import (
    BROADER,
    DEPRECATED,
    KG,
    NOTATION,
    PREF_LABEL,
    TYPE,
    Kind,
    class_kind,
    local,
)

_Subject = NamedNode | BlankNode
_WHOLE = frozenset({"W212", "W318"})
"""What only a whole ontology can say: that nothing uses a thing."""

_THIN = (TYPE, NOTATION, PREF_LABEL, BROADER, DEPRECATED)
"""What is read of a thing that is there only to be compared with: its names and its place."""

_IN = KG + "in"


class Session:
    """The check of a folder, kept so that an edit is checked in a fraction of the time.

    Raises:
        InputError: There is no such folder, or no Turtle file in it.
    """

    @uncollected()
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._files = parse_files(folder)
        graph, self._texts, self._broken = together(self._files)
        self._index = _Index(graph)
        self.messages: list[Message] = self.whole()
        """What was wrong with the folder when it was opened."""
        keep()

    @property
    def files(self) -> tuple[str, ...]:
        """The names of the files that are known."""
        return tuple(self._files)

    @uncollected()
    def whole(self) -> list[Message]:
        """Everything that is wrong with the folder, as its files were last read."""
        messages = self._broken or examine_graph(self._index.ordered(), self._texts).messages
        return [*messages, *unread_files(self.folder)]

    def recheck_file(self, name: str) -> list[Message]:
        """Reads one file of the folder again; answers with what is wrong in it and in what names it.

        Raises:
            InputError: There is no such file, and there was none.
        """
        return self.recheck_files([name])

    @uncollected()
    def recheck_files(self, names: Iterable[str]) -> list[Message]:
        """Reads some files again, new and deleted ones too; answers as ``recheck_file`` does.

        While a file does not parse, only that is said, and its things are as they were when it last did.

        Raises:
            InputError: There is no such file, and there was none.
        """
        changed: dict[NamedNode | BlankNode, None] = {}
        for name in names:
            before = self._files.get(name)
            if (self.folder / name).is_file():
                self._files[name] = parsed = parse_file(self.folder / name)
                if parsed.problems and before is not None:
                    self._files[name] = replace(parsed, graph=before.graph)
                self._texts[name] = parsed.text
            elif before is not None:
                del self._files[name]
                self._texts.pop(name, None)
            else:
                raise InputError(
                    "no such file", where=self.folder / name, todo=did_you_mean(name, self._texts)
                )
            after = self._files.get(name)
            for parsed_file in (after, before):
                if parsed_file is not None:
                    changed |= dict.fromkeys(parsed_file.graph.nodes)
        self._index.replace(changed, (f.graph for f in self._files.values()))
        problems = [m for parsed in self._files.values() for m in parsed.problems]
        self._broken = sorted([*problems, *divided_prefixes(self._files)])
        return self._broken or self._check(changed)

    @uncollected()
    def recheck_category(self, category: str) -> list[Message]:
        """Checks one category, and what refers to it, as its file was last read.

        Raises:
            InputError: There is no such category.
        """
        nodes = {n for n in self._index.by_id.get(category, ()) if self._index.kind(n) is Kind.CATEGORY}
        if not nodes:
            raise InputError(
                f"no category {category}",
                where=self.folder,
                todo=did_you_mean(category, self._index.categories()),
            )
        return self._check(nodes)

    def _check(self, changed: Collection[_Subject]) -> list[Message]:
        part, focus = self._index.around(changed)
        only = {n.value for n in focus} | {""}
        examination = examine_graph(part, self._texts, only, self._index.languages)
        return [m for m in examination.messages if m.code not in _WHOLE]


class _Index:
    """Who names whom, and which ids and codes belong to which things."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._rank = {subject: (graph.files[subject][0], n) for n, subject in enumerate(graph.nodes)}
        self._namers: dict[object, dict[_Subject, None]] = {}
        self._by_code: dict[str, dict[NamedNode, None]] = {}
        self.by_id: dict[str, dict[NamedNode, None]] = {}
        self._headers: set[NamedNode] = set()
        self._named: Counter[str] = Counter()
        self._kinds: dict[_Subject, Kind] = {}
        self._spaces: dict[str, dict[str, NamedNode]] = {}
        for subject in graph.nodes:
            self._note(subject)

    @property
    def languages(self) -> frozenset[str]:
        """The languages in which anything has a name."""
        return frozenset(+self._named)

    def kind(self, node: _Subject) -> Kind | None:
        """What a thing says it is."""
        return self._kinds.get(node)

    def categories(self) -> Iterator[str]:
        """The ids of all categories."""
        return (
            local(n.value)
            for n in self._graph.nodes
            if isinstance(n, NamedNode) and self.kind(n) is Kind.CATEGORY
        )

    def ordered(self) -> Graph:
        """All statements, in the order of the files."""
        subjects = sorted(self._graph.nodes, key=self._rank.__getitem__)
        return Graph({s: self._graph.nodes[s] for s in subjects}, {s: self._graph.files[s] for s in subjects})

    def replace(self, subjects: Iterable[_Subject], parts: Iterable[Graph]) -> None:
        """Takes what is said of some subjects from the files anew."""
        wanted = dict.fromkeys(subjects)
        for subject in wanted:
            self._forget(subject)
            self._graph.nodes.pop(subject, None)
            self._graph.files.pop(subject, None)
        for part in parts:
            subjects_left = [s for s in wanted if s in part.nodes]
            self._graph.merge(
                Graph({s: part.nodes[s] for s in subjects_left}, {s: part.files[s] for s in subjects_left})
            )
        for number, subject in enumerate(s for s in wanted if s in self._graph.nodes):
            self._rank[subject] = self._graph.files[subject][0], number
            self._note(subject)

    def around(self, subjects: Collection[_Subject]) -> tuple[Graph, set[NamedNode]]:
        """The part of the graph that decides what is wrong with some things, and what messages may be about."""
        changed = {s for s in subjects if isinstance(s, NamedNode)}
        nameless = {s for s in subjects if not isinstance(s, NamedNode)}
        focus = changed | self._dependents(changed)
        locations = {n for n in focus if self.kind(n) is Kind.CATEGORY}
        scoped = self._scopes(n for n in focus if self.kind(n) is Kind.RULE)
        locations |= scoped | {n for n in self._dependents(scoped) if self.kind(n) is Kind.CATEGORY}
        rules = {r for c in self._upwards(locations) for r in self._naming(c) if self.kind(r) is Kind.RULE}
        full, missing = self._leading_to({*focus, *locations, *rules, *nameless})
        thin = self._compared(focus) | {n for m in missing for n in self._near(m)}
        thin -= full
        part = Graph()
        for subject in sorted(full | thin, key=self._rank.__getitem__):
            words = self._graph.nodes[subject]
            part.nodes[subject] = words if subject in full else {w: words[w] for w in _THIN if w in words}
            part.files[subject] = self._graph.files[subject]
        return part, focus | rules

    def _note(self, subject: _Subject) -> None:
        words = self._graph.nodes[subject]
        for word, objects in words.items():
            if word != TYPE:
                for term in objects:
                    if isinstance(term, NamedNode | BlankNode):
                        self._namers.setdefault(term, {})[subject] = None
        if isinstance(subject, NamedNode):
            id_ = local(subject.value)
            self._named.update(_languages(words))
            self.by_id.setdefault(id_, {})[subject] = None
            self._spaces.setdefault(subject.value.removesuffix(id_), {})[id_] = subject
            for code in _codes(words):
                self._by_code.setdefault(code, {})[subject] = None
            for term in words.get(TYPE, ()):
                if isinstance(term, NamedNode) and (kind := class_kind(term.value)) is not None:
                    self._kinds.setdefault(subject, kind)
            if self.kind(subject) is Kind.HEADER:
                self._headers.add(subject)

    def _forget(self, subject: _Subject) -> None:
        words = self._graph.nodes.get(subject, {})
        for objects in words.values():
            for term in objects:
                self._namers.get(term, {}).pop(subject, None)
        if isinstance(subject, NamedNode):
            id_ = local(subject.value)
            self._named.subtract(_languages(words))
            self.by_id.get(id_, {}).pop(subject, None)
            self._spaces.get(subject.value.removesuffix(id_), {}).pop(id_, None)
            for code in _codes(words):
                self._by_code.get(code, {}).pop(subject, None)
            self._headers.discard(subject)
            self._kinds.pop(subject, None)

    def _naming(self, node: _Subject) -> Iterator[NamedNode]:
        """The things that name a thing, in a list or bracket of theirs too."""
        for namer in self._namers.get(node, ()):
            if isinstance(namer, NamedNode):
                yield namer
            else:
                yield from self._naming(namer)

    def _dependents(self, changed: Iterable[NamedNode]) -> set[NamedNode]:
        """Whatever names the things, and all below where a category does."""
        dependents: set[NamedNode] = set()
        wave = list(changed)
        while wave:
            for namer in self._naming(wave.pop()):
                if namer not in dependents:
                    dependents.add(namer)
                    if self.kind(namer) is Kind.CATEGORY:
                        wave.append(namer)
        return dependents

    def _scopes(self, rules: Iterable[NamedNode]) -> set[NamedNode]:
        named = (c for r in rules for c in self._graph.nodes[r].get(_IN, ()))
        return {c for c in named if isinstance(c, NamedNode)}

    def _upwards(self, categories: Iterable[NamedNode]) -> set[NamedNode]:
        """The categories and all above them."""
        ancestors: set[NamedNode] = set()
        wave = list(categories)
        while wave:
            node = wave.pop()
            if node not in ancestors:
                ancestors.add(node)
                above = self._graph.nodes.get(node, {}).get(BROADER, ())
                wave += [p for p in above if isinstance(p, NamedNode)]
        return ancestors

    def _leading_to(self, wanted: Iterable[_Subject]) -> tuple[set[_Subject], set[str]]:
        """The wanted things that exist, the header, and all that these name; and what they name in vain."""
        leading: set[_Subject] = set()
        missing: set[str] = set()
        queue: list[_Subject] = [*wanted, *self._headers]
        nodes = self._graph.nodes
        while queue:
            subject = queue.pop()
            if subject in leading:
                continue
            if subject not in nodes:
                if isinstance(subject, NamedNode):
                    missing.add(subject.value)
                continue
            leading.add(subject)
            for word, objects in nodes[subject].items():
                if word != TYPE:
                    queue += [o for o in objects if isinstance(o, NamedNode | BlankNode)]
        return leading, missing

    def _compared(self, focus: Iterable[NamedNode]) -> set[_Subject]:
        """Things that share an id, a code or a parent with those in focus."""
        compared: set[_Subject] = set()
        parents: set[object] = set()
        for node in focus:
            words = self._graph.nodes.get(node, {})
            compared.update(self.by_id.get(local(node.value), ()))
            for code in _codes(words):
                compared.update(self._by_code.get(code, ()))
            parents.update(words.get(BROADER, ()))
        for parent in parents:
            compared.update(n for n in self._namers.get(parent, ()) if self.kind(n) is Kind.CATEGORY)
        return compared

    def _near(self, iri: str) -> Iterator[NamedNode]:
        """Things of the same namespace with a name like a missing one, which it may have meant."""
        alike = self._spaces.get(iri.removesuffix(local(iri)), {})
        for name in get_close_matches(local(iri), alike, n=3):
            yield alike[name]


def _languages(words: Predicates) -> Iterator[str]:
    return (t.language for t in words.get(PREF_LABEL, ()) if isinstance(t, Literal) and t.language)


def _codes(words: Predicates) -> Iterator[str]:
    return (t.value for t in words.get(NOTATION, ()) if isinstance(t, Literal))
