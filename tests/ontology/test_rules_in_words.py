"""Rules as a person says them: sentences and sheets with labels become rules, or every mistake is named."""

from __future__ import annotations

import csv
import shutil
import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from kgrank.cli.main import app
from kgrank.errors import InputError
from kgrank.ontology.kinds.kind import LANGUAGES
from kgrank.ontology.kinds.table import rule_kind, rule_kinds
from kgrank.ontology.model import AttributeType, Condition, Ontology, Rule, Term
from kgrank.ontology.parsing.folded import fold, folded_name
from kgrank.ontology.parsing.names import vocabulary_of
from kgrank.ontology.parsing.text import read_text
from kgrank.ontology.parsing.write import statement_of
from kgrank.ontology.read import read_ontology
from kgrank.ontology.sentences import sentence

RUN = CliRunner()
EXAMPLE = Path(__file__).parent / "fashion_example"
PARTS = [
    "dress",
    "shoe",
    "Größe",
    "naïve",
    "颜色",
    "比",
    "和",
    "than",
    "and",
    "matters more than",
    "in",
    "is",
    "for",
]
PARTS += [
    "no",
    "a",
    "X",
    "3",
    "40%",
    "Straße",
    "ﬁt",
    "Ｗｉｄｅ",
    "e\u0301te",
    "İstanbul",
    "at most",
    "except",
    "12,5",
]
NAMES = st.lists(st.sampled_from(PARTS), min_size=1, max_size=3).flatmap(
    lambda parts: st.sampled_from([", ", " ", ": ", "-", " & ", "、", ". "]).map(
        lambda joint: joint.join(parts)
    )
)


@pytest.fixture(scope="module")
def shop() -> Ontology:
    return read_ontology(EXAMPLE)


def named(ontology: Ontology, names: list[str]) -> Ontology:
    """The ontology with other names, one for each thing, and no synonyms."""
    left = iter(names)

    def renamed(terms: Mapping[str, Any]) -> dict[str, Any]:
        return {
            i: replace(t, names=dict.fromkeys(LANGUAGES, next(left)), synonyms={}, notation="")
            for i, t in terms.items()
        }

    tables = ("categories", "attributes", "values", "brands", "segments")
    changed: dict[str, Any] = {table: renamed(getattr(ontology, table)) for table in tables}
    return replace(ontology, **changed)


def things(ontology: Ontology) -> list[Term]:
    tables = ("categories", "attributes", "values", "brands", "segments")
    return [t for table in tables for t in getattr(ontology, table).values()]


@st.composite
def rules(draw: st.DrawFn, ontology: Ontology, kind: str) -> Rule:
    """A rule of a kind, whose fields fit each other."""
    category = draw(st.sampled_from(["dresses", "shoes", "running-shoes", "evening-dresses"]))
    applicable = list(ontology.applicable(category))
    percent = st.integers(1, 999).map(lambda n: float(f"{n}e-3"))
    listed = [a for a in applicable if len(ontology.attributes[a].values) > 1]
    numbers = [a for a in applicable if ontology.attributes[a].type is AttributeType.NUMBER]

    def condition() -> Condition:
        attribute = ontology.attributes[draw(st.sampled_from([*listed, *numbers, *booleans]))]
        if attribute.type is AttributeType.NUMBER:
            low, high = sorted(draw(st.lists(st.integers(1, 999), min_size=2, max_size=2, unique=True)))
            return draw(
                st.sampled_from(
                    [
                        Condition(attribute.id, None, float(low), float(high)),
                        Condition(attribute.id, None, low + 0.25, None),
                        Condition(attribute.id, None, None, float(high)),
                        Condition(attribute.id, float(low)),
                    ]
                )
            )
        if attribute.type is AttributeType.BOOLEAN:
            return Condition(attribute.id, draw(st.booleans()))
        return Condition(attribute.id, draw(st.sampled_from(attribute.values)))

    booleans = [a for a in applicable if ontology.attributes[a].type is AttributeType.BOOLEAN]
    fields: dict[str, Any] = {}
    row = rule_kind(kind)
    for word in row.needs:
        match word:
            case "attribute":
                pool = listed if "values" in row.needs else numbers if "better" in row.needs else applicable
                fields["attribute"] = draw(st.sampled_from(pool))
            case "order":
                fields["order"] = tuple(
                    draw(st.lists(st.sampled_from(applicable), min_size=2, max_size=4, unique=True))
                )
            case "values":
                values = ontology.attributes[fields["attribute"]].values
                fields["values"] = tuple(
                    draw(st.lists(st.sampled_from(values), min_size=2, max_size=3, unique=True))
                )
            case "members":
                values = ontology.attributes[draw(st.sampled_from(listed))].values
                pool = draw(st.sampled_from([applicable, list(values)]))
                fields["members"] = tuple(
                    draw(st.lists(st.sampled_from(pool), min_size=2, max_size=3, unique=True))
                )
            case "if":
                fields["when"] = tuple(condition() for _ in range(draw(st.integers(1, 2))))
            case "then":
                fields["then"] = condition()
            case "better":
                fields["better"] = draw(st.sampled_from(["More", "Less"]))
            case "share" | "within":
                fields[word] = draw(percent)
            case "top":
                fields["top"] = draw(st.integers(1, 500))
    if "brand" in row.may_have:
        fields["brand"] = draw(st.sampled_from([None, *ontology.brands]))
    below = [c for c in ontology.subtree(category) if c != category]
    return Rule(
        id="",
        kind=kind,
        categories=(category,),
        sure=draw(st.one_of(percent, st.just(1.0))),
        but_not=tuple(draw(st.lists(st.sampled_from(below), max_size=1))) if below else (),
        segments=tuple(draw(st.lists(st.sampled_from(list(ontology.segments)), max_size=1))),
        **fields,
    )


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", list(rule_kinds()))
@settings(max_examples=25, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_the_sentence_that_is_printed_is_read_back(
    kind: str, language: str, shop: Ontology, data: st.DataObject
) -> None:
    count = len(things(shop))
    names = data.draw(st.lists(NAMES, min_size=count, max_size=count, unique_by=folded_name))
    ids = {folded_name(t.id) for t in things(shop)}
    assume(not ids & {folded_name(n) for n in names})
    ontology = named(shop, names)
    rule = data.draw(rules(ontology, kind))
    text = sentence(rule, ontology, language)
    stated, mistakes = read_text(vocabulary_of(ontology), text, "rules.txt")
    if mistakes:
        # Names made of the words of a sentence can have several readings: that is said, and never guessed.
        assert "can be read in" in mistakes[0].problem, (text, mistakes)
        return
    assert [s.rule for s in stated] == [rule], text


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_of_the_example_is_read_back(language: str, shop: Ontology) -> None:
    text = "\n".join(sentence(rule, shop, language) for rule in shop.rules.values())
    stated, mistakes = read_text(vocabulary_of(shop), text, "rules.txt")
    assert not mistakes
    assert [(statement_of(s.rule), s.rule.sure) for s in stated] == [
        (statement_of(r), r.sure) for r in shop.rules.values()
    ]
    assert [s.where for s in stated] == [f"rules.txt:{n}:1" for n in range(1, len(stated) + 1)]


def read_one(text: str, ontology: Ontology) -> Rule:
    stated, mistakes = read_text(vocabulary_of(ontology), text, "rules.txt")
    assert not mistakes, [m.sentence() for m in mistakes]
    assert len(stated) == 1
    return stated[0].rule


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "In Dresses, Size matters more than Colour, and Colour more than Neckline.",
            ("size", "color", "neckline"),
        ),
        ("in DRESSES, size > color > neckline", ("size", "color", "neckline")),
        (
            "In Dresses: size is more important than color, which is more important than neckline",
            ("size", "color", "neckline"),
        ),
        ("In c:dresses, a:size matters more than a:color.", ("size", "color")),
        ("在连衣裙中，尺码比颜色更重要。", ("size", "color")),
        ("In Ｄｒｅｓｓｅｓ,\tsize\u00a0matters  more than “color”.", ("size", "color")),
        ("- In Dresses, size matters\n  more than color", ("size", "color")),
        ("For dresses, size matters more than color", ("size", "color")),
        ("Dresses: size matters more than color", ("size", "color")),
        ("1. In dresses, the size matters more than the color!", ("size", "color")),
        (unicodedata.normalize("NFD", "In Dresses, size matters more than color"), ("size", "color")),
    ],
)
def test_an_order_can_be_said_in_several_ways(text: str, expected: tuple[str, ...], shop: Ontology) -> None:
    assert read_one(text, shop).order == expected


@pytest.mark.parametrize(
    "text",
    [
        "In Dresses, Material: Silk is liked more than Material: Cotton.",
        "In Dresses, silk is preferred to cotton.",
        "In Dresses, material: silk > cotton",
        "In Dresses, the preferred material is Silk > Cotton.",
    ],
)
def test_a_preference_finds_the_attribute_of_its_values(text: str, shop: Ontology) -> None:
    rule = read_one(text, shop)
    assert (rule.kind, rule.attribute, rule.values) == ("Prefers", "material", ("silk", "cotton"))


@pytest.mark.parametrize(
    ("tail", "sure", "reason"),
    [
        ("", 0.8, ""),
        (" (90% sure).", 0.9, ""),
        (". I am 90% sure, because people try it on.", 0.9, "People try it on."),
        (". We are 72.5 % sure because it fits", 0.725, "It fits"),
        (", surely.", 0.95, ""),
        (" (always).", 1.0, ""),
        (". Always, since returns cost money. They do.", 1.0, "Returns cost money. They do."),
        (", because it fits.", 0.8, "It fits."),
        (".\nProbably.", 0.8, ""),
        (", because it fits, I am 95% sure.", 0.95, "It fits"),
    ],
)
def test_how_sure_and_why_are_read(tail: str, sure: float, reason: str, shop: Ontology) -> None:
    rule = read_one(f"In Dresses, size matters more than color{tail}", shop)
    assert (rule.order, rule.sure) == (("size", "color"), sure)
    assert rule.because == ({"en": reason} if reason else {})


def test_a_confidence_may_come_first(shop: Ontology) -> None:
    assert read_one("I am 60% sure that in Dresses, size matters more than color.", shop).sure == 0.6
    assert read_one("Perhaps, in Dresses, size matters more than color.", shop).sure == 0.6


def test_several_sentences_share_a_line(shop: Ontology) -> None:
    text = (
        "In Dresses, size matters more than color. I am 90% sure, because it fits. "
        "In Shoes, a lower weight is better (70% sure). In Shoes, price is at most 30% of the decision."
    )
    stated, mistakes = read_text(vocabulary_of(shop), text, "r.txt")
    assert not mistakes
    assert [(s.rule.kind, s.rule.sure) for s in stated] == [
        ("Order", 0.9),
        ("Monotone", 0.7),
        ("AtMost", 0.8),
    ]


def test_a_range_is_read_in_any_unit_of_its_kind(shop: Ontology) -> None:
    rule = read_one("In Shoes, there is no item where weight is at least 2,5 kg and waterproof is yes", shop)
    assert rule.when == (Condition("weight", None, 2500.0, None),)
    assert rule.then == Condition("waterproof", True)


def test_all_mistakes_are_named_at_once_with_line_and_column(shop: Ontology) -> None:
    text = (
        "# what buyers say\n"
        "In Dreses, size matters more than colur. I am 90% sure.\n"
        "\n"
        "In Shoes, silk tastes nice.\n"
        "In Dresses, material: Silc is liked more than Cotton.\n"
        "Size matters more than color.\n"
        "In Dresses, size matters more than color.\n"
    )
    stated, mistakes = read_text(vocabulary_of(shop), text, "r.txt")
    assert len(stated) == 1
    assert [(m.where, m.todo.split("?")[0]) for m in mistakes[:2]] == [
        ("r.txt:2:4", "Did you mean Dresses"),
        ("r.txt:2:35", "Did you mean Colour or Color"),
    ]
    assert [m.where for m in mistakes[2:]] == ["r.txt:4:1", "r.txt:5:23", "r.txt:6:1"]
    assert "Silk" in mistakes[3].todo
    assert "Begin with where it holds" in mistakes[4].todo


def test_a_name_of_two_things_is_an_error_that_an_id_mends(shop: Ontology) -> None:
    twin = replace(
        shop.attributes["weight"],
        id="net",
        names={"en": "Color"},
        iri="https://shop.example/id/attribute/net",
    )
    dresses = replace(shop.categories["dresses"], uses={**shop.categories["dresses"].uses, "net": "allowed"})  # type: ignore[dict-item]
    ontology = replace(
        shop,
        attributes={**shop.attributes, "net": twin},
        categories={**shop.categories, "dresses": dresses},
    )
    _, mistakes = read_text(vocabulary_of(ontology), "In Dresses, size matters more than color.", "r.txt")
    assert [m.where for m in mistakes] == ["r.txt:1:36"]
    assert "a:color and a:net" in mistakes[0].problem
    assert read_one("In Dresses, size matters more than a:net.", ontology).order == ("size", "net")


def test_a_sentence_without_end_is_one_mistake(shop: Ontology) -> None:
    text = "In Dresses, " + "size matters more than color, and " * 3_000
    stated, mistakes = read_text(vocabulary_of(shop), f"{text}\nIn Dresses, size > color.", "r.txt")
    assert [m.where for m in mistakes] == ["r.txt:1:1"]
    assert len(stated) == 1


@settings(deadline=None, suppress_health_check=list(HealthCheck))
@given(text=st.text(alphabet=st.sampled_from("In Dreses,size>cloru.%90()because\n：，。中比和#")))
def test_no_text_ends_in_a_traceback(text: str, shop: Ontology) -> None:
    read_text(vocabulary_of(shop), text, "r.txt")


@settings(deadline=None)
@given(st.text())
def test_a_folded_character_knows_where_it_was(text: str) -> None:
    folded = fold(text)
    assert len(folded.offsets) == len(folded.text) + 1
    assert list(folded.offsets) == sorted(folded.offsets)
    assert folded_name(unicodedata.normalize("NFD", text)) == folded_name(unicodedata.normalize("NFC", text))


# --- the command ----------------------------------------------------------------------------------------------


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """The example without rules."""
    folder = Path(shutil.copytree(EXAMPLE, tmp_path / "shop"))
    (folder / "rules.ttl").unlink()
    return folder


def run(*words: object, code: int = 0) -> Any:
    result = RUN.invoke(app, [str(w) for w in words])
    if isinstance(result.exception, InputError):
        assert code == 2
        return result
    assert result.exit_code == code, (result.output, result.exception)
    return result


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_one_command_adds_rules_that_pass_the_check(bare: Path, tmp_path: Path, shop: Ontology) -> None:
    text = "\n".join(sentence(r, shop, "zh" if n % 2 else "en") for n, r in enumerate(shop.rules.values()))
    author = next(iter(shop.people))
    run("ontology", "import", bare, "--rules", write(tmp_path / "rules.txt", text), "--author", author)
    run("ontology", "check", bare)
    again = read_ontology(bare)
    assert {r.creator for r in again.rules.values()} == {author}
    assert [(statement_of(r), r.sure) for r in again.rules.values()] == [
        (statement_of(r), r.sure) for r in shop.rules.values()
    ]


def test_ids_are_readable_and_the_same_rule_is_written_once(bare: Path, tmp_path: Path) -> None:
    line = "In Dresses, size matters more than color (90% sure)."
    file = write(tmp_path / "rules.txt", f"{line}\n{line}\n")
    first = run("ontology", "import", bare, "--rules", file, "--author", "Mei")
    assert "dresses-order-size-color" in first.output
    assert "rules.txt:2:1: the same as" in first.output
    before = (bare / "rules.ttl").read_bytes()
    second = run("ontology", "import", bare, "--rules", file, "--author", "Mei")
    assert "the same as the rule dresses-order-size-color" in second.output
    assert (bare / "rules.ttl").read_bytes() == before


def test_the_same_rule_with_another_confidence_is_an_error(bare: Path, tmp_path: Path) -> None:
    text = "In Dresses, size matters more than color (90% sure).\nIn Dresses, size > color (60% sure).\n"
    result = run(
        "ontology", "import", bare, "--rules", write(tmp_path / "r.txt", text), "--author", "Mei", code=2
    )
    assert "60% sure here and 90% sure in" in result.output


def test_nothing_is_written_where_one_name_is_unknown(bare: Path, tmp_path: Path) -> None:
    before = {p.name: p.read_bytes() for p in bare.iterdir()}
    text = "In Dresses, size matters more than color.\nIn Dresses, sise matters more than color.\n"
    result = run(
        "ontology", "import", bare, "--rules", write(tmp_path / "r.txt", text), "--author", "Mei", code=2
    )
    assert "Did you mean Size?" in result.output
    assert {p.name: p.read_bytes() for p in bare.iterdir()} == before


def test_what_the_check_refuses_is_named_at_its_sentence(bare: Path, tmp_path: Path) -> None:
    text = "In Dresses, heel height does not drive the choice.\n"
    result = run(
        "ontology", "import", bare, "--rules", write(tmp_path / "r.txt", text), "--author", "Mei", code=2
    )
    assert "r.txt:1:1: R418" in result.output
    assert not (bare / "rules.ttl").exists()


def test_a_new_author_becomes_a_person(bare: Path, tmp_path: Path) -> None:
    file = write(tmp_path / "r.txt", "In Dresses, size matters more than color.")
    result = run("ontology", "import", bare, "--rules", file, "--author", "Jürgen Groß")
    assert "the author Jürgen Groß is new" in result.output
    ontology = read_ontology(bare)
    (rule,) = ontology.rules.values()
    assert ontology.people[rule.creator].name() == "Jürgen Groß"


def sheet(path: Path, rows: list[list[str]]) -> Path:
    if path.suffix == ".csv":
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, delimiter=";").writerows(rows)
    else:
        book = openpyxl.Workbook()
        for row in rows:
            book.active.append(row)  # type: ignore[union-attr]
        book.save(path)
    return path


@pytest.mark.parametrize("ending", [".csv", ".xlsx"])
def test_a_sheet_of_labels_says_the_same(ending: str, bare: Path, tmp_path: Path) -> None:
    rows = [
        [
            "kind",
            "in",
            "attribute",
            "order",
            "values",
            "if",
            "then",
            "better",
            "share",
            "sure",
            "because",
            "by",
        ],
        ["Order", "Dresses", "", "Size > Colour", "", "", "", "", "", "90%", "It fits.", "Mei"],
        ["prefers", "dresses | Shoes", "Material", "", "Cotton > Leather", "", "", "", "", "0.7", "", "Mei"],
        ["Monotone", "跑鞋", "重量", "", "", "", "", "less", "", "always", "", "Mei"],
        [
            "Excludes",
            "Shoes",
            "",
            "",
            "",
            "Material = Gore-Tex & Weight <= 300 g",
            "waterproof: no",
            "",
            "",
            "",
            "",
            "Mei",
        ],
        ["AtMost", "Dresses", "price", "", "", "", "", "", "25%", "", "", "Mei"],
    ]
    run("ontology", "import", bare, "--rules", sheet(tmp_path / f"rules{ending}", rows))
    rules = list(read_ontology(bare).rules.values())
    assert [r.kind for r in rules] == ["Order", "Prefers", "Monotone", "Excludes", "AtMost"]
    assert [r.sure for r in rules] == [0.9, 0.7, 1.0, 0.8, 0.8]
    assert rules[0].order == ("size", "color")
    assert rules[1].categories == ("dresses", "shoes")
    assert (rules[2].attribute, rules[2].better) == ("weight", "Less")
    assert rules[3].when == (Condition("material", "gore-tex"), Condition("weight", None, None, 300.0))
    assert rules[4].share == 0.25


@pytest.mark.parametrize("ending", [".csv", ".xlsx"])
def test_a_sheet_of_sentences_is_read_and_its_mistakes_have_cells(
    ending: str, bare: Path, tmp_path: Path
) -> None:
    rows = [
        ["Sentence", "sure"],
        ["In Dresses, size matters more than color.", "70%"],
        ["In Dreses, size > color", "x"],
    ]
    file = sheet(tmp_path / f"rules{ending}", rows)
    result = run("ontology", "import", bare, "--rules", file, "--author", "Mei", code=2)
    assert "A3: there is no category" in result.output
    assert 'B3: "x" is no confidence' in result.output
    sheet(file, rows[:2])
    run("ontology", "import", bare, "--rules", file, "--author", "Mei")
    (rule,) = read_ontology(bare).rules.values()
    assert rule.sure == 0.7
