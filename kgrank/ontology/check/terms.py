"""What every thing has: a kind, known words, an id, names, an end of life (codes O1)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from math import isfinite
from typing import Any

from pyoxigraph import BlankNode, Literal, NamedNode

from kgrank.errors import did_you_mean
from kgrank.ontology.characters import has_invisible
from kgrank.ontology.check.graph import Draft, Node, Object, Predicates, key, shown
from kgrank.ontology.check.messages import SourceLocation
from kgrank.ontology.vocabulary import (
    ALT_LABEL,
    BROADER,
    CHECKED_NAMESPACES,
    CREATED,
    CREATOR,
    DC,
    DCTERMS,
    DEPRECATED,
    KG,
    KG_PREDICATES,
    KNOWN_PREDICATES,
    LANGUAGE,
    NOTATION,
    NOTES,
    OWL,
    PREDICATES_OF,
    PREF_LABEL,
    RDFS,
    REPLACED_BY,
    SCHEMA,
    SKOS,
    SKOSXL,
    TITLE,
    TYPE,
    VERSION,
    XSD,
    Kind,
    article,
    class_kind,
    class_names,
    local,
    short,
)

_LISTS = frozenset({KG + "values", KG + "order", KG + "members"})
"""Words with a list: several objects without brackets are one mistake, which is said of the list."""

ELSEWHERE: Mapping[str, str] = {
    RDFS + "subClassOf": BROADER,
    RDFS + "subPropertyOf": BROADER,
    OWL + "deprecatedBy": REPLACED_BY,
    SKOS + "broaderTransitive": BROADER,
    SKOSXL + "prefLabel": PREF_LABEL,
    SKOSXL + "altLabel": ALT_LABEL,
    SKOSXL + "hiddenLabel": ALT_LABEL,
    RDFS + "label": PREF_LABEL,
    SCHEMA + "name": PREF_LABEL,
    SCHEMA + "alternateName": ALT_LABEL,
    SCHEMA + "supersededBy": REPLACED_BY,
    "http://schema.org/supersededBy": REPLACED_BY,
    "http://schema.org/name": PREF_LABEL,
    "http://purl.obolibrary.org/obo/IAO_0100001": REPLACED_BY,
    DC + "title": PREF_LABEL,
    DC + "creator": CREATOR,
    DC + "date": CREATED,
    DC + "identifier": NOTATION,
    DCTERMS + "identifier": NOTATION,
    SCHEMA + "identifier": NOTATION,
}
"""Words of other vocabularies, and the words that are read instead."""

CODED = (Kind.CATEGORY, Kind.ATTRIBUTE, Kind.VALUE)
"""Kinds that need a notation, and a name in every language of the header."""

_SIGNS_IN_NOTATIONS = frozenset("-._/")
_WHOLE, _DECIMAL = re.compile(r"[+-]?[0-9]+"), re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)")
_FLOAT = re.compile(_DECIMAL.pattern + r"(?:[eE][+-]?[0-9]+)?")
_NUMERIC = {
    **{XSD + t: _WHOLE for t in ("integer", "int", "long")},
    XSD + "decimal": _DECIMAL,
    **{XSD + t: _FLOAT for t in ("double", "float")},
}
"""How numbers of each type are written."""

_STRAY_END = re.compile(r"[,;:，；：、]$|(?<![.\w])\w{5,}\.$|[\u3400-\u9fff]。$|\w \.$")
"""A mark that ends a sentence, no abbreviation ("etc.", "Inc.") and no ellipsis."""

_TAG = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*")


@dataclass(frozen=True)
class Header:
    """What the ontology says of itself; no languages where the header is missing."""

    version: str = ""
    languages: tuple[str, ...] = ()
    title: dict[str, str] = field(default_factory=dict)


def sort_terms(draft: Draft) -> None:
    """Fills ``draft.nodes`` and ``draft.by_iri``: each subject with its kind and the words it may have."""
    # Most things are described with the same few sets of words: what is right in one is right in all.
    plain: dict[tuple[str, ...], bool] = {}
    for subject, written in draft.graph.nodes.items():
        files = draft.graph.files[subject]
        words = dict(written)  # What is mended in it stays out of the graph, which may be checked again.
        if not isinstance(subject, NamedNode):
            if TYPE in written:
                _nameless(draft, subject, files[0], words)
            continue
        kind = _kind(draft, subject.value, files[0], words)
        if kind is None:
            continue
        node = Node(subject.value, kind, files[0], words, local(subject.value))
        if not plain.get((kind, *words)):
            before = len(draft.report)
            if _is_disguised(draft, node):
                continue
            _mend_words(draft, node)
            plain[kind, *words] = len(draft.report) == before
        if len(files) > 1:
            where = SourceLocation(files[-1], node.iri)
            problem = f"{node.id} is described in {files[0]} and again in {files[-1]}"
            draft.report.add("O102", where, problem, "Keep one of the two")
        draft.by_iri[node.iri] = node
        twin = draft.nodes[kind].setdefault(node.id, node)
        if "=" in node.id or not node.id:
            problem = f"the id of <{node.iri}>, its last part, is empty or has a = in it"
            draft.report.add("O119", node.location(), problem, "Write letters, digits, - and _")
        if twin is not node:
            problem = f"<{node.iri}> and <{twin.iri}> have the same id {node.id}"
            draft.report.add("O115", node.location(), problem, "Give one of the two another last part")


def read_header(draft: Draft) -> Header:
    """Version, languages and title."""
    headers = list(draft.nodes[Kind.HEADER].values())
    if not headers:
        todo = "Add ontology.ttl with 'a owl:Ontology' and owl:versionInfo"
        draft.report.add("O100", SourceLocation("ontology.ttl", ""), "no file names the ontology", todo)
        return Header()
    for extra in headers[1:]:
        problem = f"two headers: {headers[0].id} and {extra.id}"
        draft.report.add("O101", extra.location(), problem, "Keep one owl:Ontology a folder")
    head = headers[0]
    version = [v.value for v in head.all(VERSION) if isinstance(v, Literal) and v.value.strip()]
    languages = tuple(_languages(draft, head))
    if not version:
        draft.report.add(
            "O125", head.location(), "the header has no version", 'Add owl:versionInfo "2026.10"'
        )
    if not head.all(LANGUAGE):
        draft.report.add(
            "O126", head.location(), "the header does not say its languages", 'Add dcterms:language "en"'
        )
    title = {v.language: v.value for v in head.all(TITLE) if isinstance(v, Literal) and v.language}
    return Header(version[0] if version else "", languages, title)


def _languages(draft: Draft, head: Node) -> Iterator[str]:
    """The languages of the header that are tags, and in which anything has a name."""
    for term in head.all(LANGUAGE):
        if not isinstance(term, Literal) or not _TAG.fullmatch(term.value):
            problem = f"{shown(term)} is not the tag of a language"
            draft.report.add("O126", head.location(LANGUAGE, term), problem, 'Write "en", "zh", "de", …')
        elif not _is_spoken(draft, term.value):
            problem = f"nothing has a name in {term.value}, which the header lists"
            draft.report.add("O126", head.location(LANGUAGE, term), problem, "Delete it, or add the names")
        else:
            yield term.value


def _is_spoken(draft: Draft, language: str) -> bool:
    if draft.languages is not None:
        return not draft.languages or language in draft.languages
    named = (n for kind in CODED for n in draft.nodes[kind].values())
    terms = (t for n in named for t in n.all(PREF_LABEL) if isinstance(t, Literal))
    others = False
    for term in terms:
        if term.language == language:
            return True
        others = True
    return not others


def check_replacements(draft: Draft) -> None:
    """Every chain of replacements ends at a term in use; circles are reported."""
    for node in (n for n in draft.by_iri.values() if REPLACED_BY in n.predicates):
        path = [node]
        while (target := draft.by_iri.get(first_iri(path[-1].all(REPLACED_BY)))) is not None and len(
            path
        ) <= 50:
            if target is node and len(path) > 1 and node.iri == min(n.iri for n in path):
                circle = " > ".join(n.id for n in (*path, node))
                problem = f"the replacements go in a circle: {circle}"
                draft.report.add("O121", node.location(REPLACED_BY), problem, "Name one that goes on")
            if target in path:
                break
            path.append(target)


def first_iri(terms: list[Object]) -> str:
    """The IRI of the first object; empty where it is none."""
    return terms[0].value if terms and isinstance(terms[0], NamedNode) else ""


def read_term(draft: Draft, node: Node, header: Header) -> dict[str, Any]:
    """The fields of ``Term``, checked."""
    names = _names(draft, node, header)
    deprecated = _deprecated(draft, node)
    return {
        "id": node.id,
        "iri": node.iri,
        "notation": _notation(draft, node) if node.kind in CODED else "",
        "names": names,
        "synonyms": _synonyms(draft, node, names),
        "deprecated": deprecated,
        "replaced_by": _replacement(draft, node, deprecated),
    }


def check_notations(draft: Draft) -> None:
    """A notation belongs to one thing of a kind."""
    for kind in CODED:
        owners: dict[str, Node] = {}
        for node in draft.nodes[kind].values():
            for term in node.all(NOTATION)[:1]:
                owner = owners.setdefault(term.value if isinstance(term, Literal) else "", node)
                if owner is not node:
                    problem = f"notation {shown(term)} is already used by {owner.id}"
                    todo = "Give one of the two another notation"
                    draft.report.add("O111", node.location(NOTATION, term), problem, todo)


def one(draft: Draft, node: Node, word: str, words: Predicates | None = None) -> Object | None:
    """The only object of a word, None where there is none; ``words`` are those of a bracket of the node."""
    objects = (node.predicates if words is None else words).get(word, [])
    if len(objects) > 1 and not (word in _LISTS and not any(isinstance(o, BlankNode) for o in objects)):
        values = " and ".join(shown(o) for o in objects)
        problem = f"{local(word)} of {node.id} has {len(objects)} values: {values}"
        parts = [o.value for o in objects if isinstance(o, Literal)]
        comma = len(parts) == 2 and all(p.isdigit() for p in parts)
        todo = f"A decimal comma? Write {parts[0]}.{parts[1]}" if comma else "Keep one"
        draft.report.add("O106", node.location(word, objects[1]), problem, todo)
    return objects[0] if objects else None


def number(term: Object) -> float | None:
    """A finite numeric literal as a float, else None."""
    if not isinstance(term, Literal):
        return None
    form = _NUMERIC.get(term.datatype.value)
    if form is None or not form.fullmatch(term.value):
        return None
    value = float(term.value)
    return value if isfinite(value) else None


def boolean(term: Object | None) -> bool | None:
    """A boolean literal, else None."""
    if not isinstance(term, Literal) or term.datatype.value != XSD + "boolean":
        return None
    return {"true": True, "1": True, "false": False, "0": False}.get(term.value)


def plain_text(term: Object | None) -> str | None:
    """A text without a language, else None."""
    plain = isinstance(term, Literal) and term.datatype.value == XSD + "string"
    return term.value if plain and isinstance(term, Literal) else None


def leading_number(text: str) -> str | None:
    """The number that a text like ``40 cm`` or ``0,9`` begins with, with a decimal point."""
    match = re.match(r"\s*([+-]?\d+(?:[.,]\d+)?)", text)
    return match.group(1).replace(",", ".") if match else None


def refer(
    draft: Draft, node: Node, word: str, term: Object, kind: Kind, code: str, unknown: str
) -> str | None:
    """The id of the thing that is named.

    An unknown name is reported as ``unknown`` with the name in its braces; where a known name is near, the
    check continues with that one, so that a slip of the pen has no consequences elsewhere.
    """
    known = draft.nodes[kind]
    if isinstance(term, NamedNode):
        target = draft.by_iri.get(term.value)
        if target is not None and target.kind is kind:
            return target.id
        if target is None and draft.is_vague(kind, local(term.value)):
            return None
        name = local(term.value)
        if target is not None:
            todo = f"{name} is {article(target.kind)}; name {article(kind)}"
        elif not known and not draft.nodes[Kind.HEADER]:
            return None  # The file that lists them is missing, and that is said already.
        else:
            todo = did_you_mean(name, known)
    else:
        name, todo = shown(term), f"Name {article(kind)} by its short name, without quotes"
        if isinstance(term, BlankNode):
            todo = f"Name {article(kind)} by its short name, without brackets; several with commas"
    # Where no thing of the kind is described at all, that is the one cause of every unknown name.
    if not known:
        code = draft.missing.setdefault(kind, code)
    cause = (key(term) or name) if known else kind.value
    draft.report.add_once(cause, code, node.location(word, term), unknown.format(name), todo)
    near = get_close_matches(name.strip('"'), sorted(known), n=1)
    return near[0] if near else None


def list_members(draft: Draft, node: Node, word: str, head: Object, code: str) -> list[Object]:
    """The members of a list, repeated ones taken out and reported under ``code``."""
    members = draft.graph.members(head)
    if members is None:
        draft.report.add(
            "O107",
            node.location(word, head),
            f"{short(word)} of {node.id} is not a list",
            "Write the names in brackets: ( … )",
        )
        return []
    unique = list(dict.fromkeys(members))
    for member in unique:
        if members.count(member) > 1:
            draft.report.add(code, node.location(word, member, 1), _twice(word, member, node), "Delete one")
    return unique


def _twice(word: str, member: Object, node: Node) -> str:
    if node.kind is Kind.RULE:
        return f"{shown(member)} stands twice in one {short(word)}"
    return f"the value {shown(member)} is listed twice"


def meant(name: str, known: Iterable[str]) -> str | None:
    """The known name that a misspelt one is nearest to."""
    near = get_close_matches(name, sorted(known), n=1)
    return near[0] if near else None


def _nameless(draft: Draft, subject: BlankNode, file: str, words: Predicates) -> None:
    """Whether a bracket claims to be a term: rules and categories need a name to be referred to."""
    for term in words.get(TYPE, ()):
        if isinstance(term, NamedNode) and class_kind(term.value) is not None:
            problem = f"a {short(term.value)} without a name of its own"
            location = SourceLocation(file, _owner(draft, subject), TYPE, term.value)
            draft.report.add("O105", location, problem, "Begin it with a name, like c:shoes")


def _owner(draft: Draft, subject: NamedNode | BlankNode) -> str:
    """The named term that contains a bracket; empty for one outside any term."""
    seen = {subject}
    while isinstance(subject, BlankNode):
        above = (s for s, words in draft.graph.nodes.items() for o in words.values() if subject in o)
        subject = next(above, subject)
        if subject in seen:
            return ""
        seen.add(subject)
    return subject.value


def _kind(draft: Draft, iri: str, file: str, words: Predicates) -> Kind | None:
    """What a subject is; None for what is not of kgrank's world."""
    types = [t for t in words.get(TYPE, ()) if isinstance(t, NamedNode)]
    kinds = [kind for t in types if (kind := class_kind(t.value)) is not None]
    if len(types) == 1 and kinds:
        return kinds[0]
    if len(kinds) > 1:
        named = " and ".join(short(t.value) for t in types)
        draft.report.add(
            "O110",
            SourceLocation(file, iri, TYPE),
            f"{local(iri)} is two kinds of thing: {named}",
            "Keep one",
        )
    if kinds:
        return kinds[0]
    for wrong in types:
        if wrong.value.startswith(KG):
            name = local(wrong.value)
            guess = meant(name, class_names())
            todo = f"Did you mean kg:{guess}?" if guess else did_you_mean(name, class_names())
            problem = f"there is no kind of thing called {short(wrong.value)}"
            draft.report.add("O103", SourceLocation(file, iri, TYPE, wrong.value), problem, todo)
            if guess is None:
                _set_aside(draft, local(iri))
                return None
            words[TYPE] = [NamedNode(KG + guess)]
            return class_kind(KG + guess)
    ours = next((w for w in words if w in KG_PREDICATES or w in (PREF_LABEL, NOTATION)), None)
    if not types and ours is not None:
        problem = f"{local(iri)} does not say what kind of thing it is"
        draft.report.add(
            "O105", SourceLocation(file, iri), problem, "Begin with 'a kg:Category', 'a kg:Attribute', …"
        )
        _set_aside(draft, local(iri))
    return None


def _is_disguised(draft: Draft, node: Node) -> bool:
    """Whether most words of a thing are those of another kind: then its kind is the mistake."""
    typed_words = [w for w in node.predicates if w in KNOWN_PREDICATES and w not in NOTES]
    if len(typed_words) < 3 or 2 * sum(w in PREDICATES_OF[node.kind] for w in typed_words) > len(typed_words):
        return False
    likely = next((k for k in Kind if all(w in PREDICATES_OF[k] for w in typed_words)), None)
    if likely is None:
        return False
    problem = f"{node.id} is {article(node.kind)}, but all its words are those of {article(likely)}"
    draft.report.add("O108", node.location(TYPE), problem, "Correct what stands after 'a'")
    _set_aside(draft, node.id)
    return True


def _set_aside(draft: Draft, id_: str) -> None:
    """Holds back findings about a thing of unknown kind."""
    for ids in draft.vague.values():
        ids.add(id_)


def _mend_words(draft: Draft, node: Node) -> None:
    """Reports unknown words; the objects of a misspelt one are moved to the word that was meant."""
    for word in list(node.predicates):
        if word in PREDICATES_OF[node.kind] or word in NOTES or not word.startswith(CHECKED_NAMESPACES):
            continue
        location = node.location(word)
        if word in KG_PREDICATES or word in KNOWN_PREDICATES:
            belongs = ", ".join(k for k in Kind if word in PREDICATES_OF[k]) or "a bracket inside"
            problem = f"{short(word)} does not belong on {article(node.kind)}"
            draft.report.add("O108", location, problem, f"It belongs on: {belongs}")
            continue
        # A word of another vocabulary says something else, however near its letters are.
        namespace = next(n for n in CHECKED_NAMESPACES if word.startswith(n))
        candidates = [local(w) for w in PREDICATES_OF[node.kind] if w.startswith(namespace)]
        guess = None if word in ELSEWHERE else meant(local(word), candidates)
        todo = f"Did you mean {guess}?" if guess else did_you_mean(local(word), candidates)
        if word in ELSEWHERE:
            todo = f"Write {short(ELSEWHERE[word])}"
        draft.report.add("O104", location, f"unknown word {local(word)}", todo)
        target = namespace + guess if guess else None
        if target is None:
            draft.vague[node.kind].add(node.id)
        else:
            node.predicates[target] = [*node.predicates.get(target, []), *node.predicates[word]]
            del node.predicates[word]


def _is_code(text: str) -> bool:
    """Whether a notation has letters and digits of any script and ``- . _ /`` only, none of these four first."""
    return text[:1].isalnum() and all(
        c.isalnum() or c in _SIGNS_IN_NOTATIONS or unicodedata.category(c)[0] == "M" for c in text
    )


def _notation(draft: Draft, node: Node) -> str:
    term = one(draft, node, NOTATION)
    if term is None:
        draft.report.add(
            "O109", node.location(), f"{node.id} has no notation", 'Add its short code: skos:notation "AA-1"'
        )
        return ""
    # SKOS writes notations with a datatype of their own.
    code = term.value if isinstance(term, Literal) and not term.language else None
    if code is None or not _is_code(code):
        problem = f"the notation {shown(term)} is not letters, digits and - . _ / only"
        draft.report.add("O109", node.location(NOTATION, term), problem, "Write a short code")
        return ""
    return code


def _names(draft: Draft, node: Node, header: Header) -> dict[str, str]:
    names: dict[str, str] = {}
    broken = False
    for term in node.all(PREF_LABEL):
        if not _is_text(draft, node, PREF_LABEL, term, "name"):
            broken = True
        elif isinstance(term, Literal) and term.language:
            if term.language in names:
                problem = f'two names in {term.language}: "{names[term.language]}" and "{term.value}"'
                draft.report.add(
                    "O114", node.location(PREF_LABEL, term), problem, "Keep one, make the other skos:altLabel"
                )
            names.setdefault(term.language, term.value)
    if not broken:
        _missing_names(draft, node, header, names)
    return names


def _missing_names(draft: Draft, node: Node, header: Header, names: dict[str, str]) -> None:
    if node.kind in CODED:
        for nth, language in enumerate(header.languages):
            if language not in names:
                code = "W117" if nth else "O117"
                problem = f"{node.id} has no {language} name"
                draft.report.add(code, node.location(), problem, f'Add skos:prefLabel "…"@{language}')
    elif not names:
        draft.report.add("O117", node.location(), f"{node.id} has no name", 'Add skos:prefLabel "…"@en')


def _is_text(draft: Draft, node: Node, word: str, term: Object, what: str) -> bool:
    """Whether a name or synonym is a visible text with a language; reports why not."""
    if not isinstance(term, Literal):
        code, problem, todo = "O112", f"the {what} {shown(term)} is not a text", 'Write "…"@en'
    elif (text := term.value) and not text.isspace() and term.language:
        if has_invisible(text):
            problem = f'an invisible character in "{text}"'
            draft.report.add("O116", node.location(word, term), problem, f"Retype the {what}")
        elif text != " ".join(text.split()):
            problem = f'stray space in the {what} "{text}"'
            todo = f'Write "{" ".join(text.split())}"'
            draft.report.add("W116", node.location(word, term), problem, todo)
        elif node.kind in CODED and _STRAY_END.search(text):
            problem = f'a stray mark at the end of the {what} "{text}"'
            todo = f'Write "{text.rstrip(" .,;:。，；：、")}"'
            draft.report.add("W116", node.location(word, term), problem, todo)
        return True
    elif not text.strip():
        code, problem, todo = "O113", f"an empty {what}", f"Write the {what} or delete it"
    else:
        code, problem, todo = "O112", f'the {what} "{text}" has no language', f'Write "{text}"@en'
    draft.report.add(code, node.location(word, term), problem, todo)
    return False


def _synonyms(draft: Draft, node: Node, names: dict[str, str]) -> dict[str, tuple[str, ...]]:
    synonyms: dict[str, list[str]] = {}
    for term in node.all(ALT_LABEL):
        if not _is_text(draft, node, ALT_LABEL, term, "synonym"):
            continue
        assert isinstance(term, Literal)
        language = term.language or ""
        if names.get(language) == term.value:
            problem = f'the synonym "{term.value}" is the name itself'
            draft.report.add("W118", node.location(ALT_LABEL, term), problem, "Delete the synonym")
        synonyms.setdefault(language, []).append(term.value)
    return {language: tuple(texts) for language, texts in synonyms.items()}


def _deprecated(draft: Draft, node: Node) -> bool:
    term = one(draft, node, DEPRECATED)
    value = boolean(term)
    if term is not None and value is None:
        problem = f"owl:deprecated {shown(term)} is neither true nor false"
        draft.report.add("O120", node.location(DEPRECATED, term), problem, "Write true or false (no quotes)")
    return bool(value)


def _replacement(draft: Draft, node: Node, deprecated: bool) -> str | None:
    term = one(draft, node, REPLACED_BY)
    if term is None:
        if deprecated and node.kind in CODED:
            problem = f"{node.id} is deprecated and nothing replaces it"
            draft.report.add(
                "W120", node.location(DEPRECATED), problem, "Add dcterms:isReplacedBy, if there is one"
            )
        return None
    target = draft.by_iri.get(term.value) if isinstance(term, NamedNode) else None
    if target is None or target.kind is not node.kind:
        problem = f"the replacement {shown(term)} does not exist (or is another kind of thing)"
        todo = f"Name one that exists. {did_you_mean(shown(term), draft.nodes[node.kind])}"
        draft.report.add("O121", node.location(REPLACED_BY, term), problem, todo)
        return None
    if target is node:
        draft.report.add(
            "O121", node.location(REPLACED_BY, term), f"{node.id} replaces itself", "Name another one"
        )
        return None
    if not deprecated:
        problem = f"{node.id} is replaced by {target.id} but not deprecated"
        draft.report.add("W123", node.location(REPLACED_BY, term), problem, "Add owl:deprecated true")
    return target.id
