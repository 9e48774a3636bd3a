# ruff: noqa: E501 (the edits are lines of Turtle)
"""Bad inputs: one edit each to the example ontology, and the code and line that the check must give.

An edit is (file, old text, new text): the first occurrence is replaced; an old text of "" appends.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

Edit = tuple[str, str, str]


@dataclass(frozen=True)
class Case:
    """One edit, and where the check must find it; ``line`` None: the input is accepted."""

    name: str
    edits: tuple[Edit, ...]
    code: str | None
    file: str = ""
    line: int | None = None
    says: str = ""


def damage(folder: Path, case: Case) -> None:
    """Applies a case to a copy of the example; an edit whose old text is missing is a mistake in the case."""
    for file, old, new in case.edits:
        path = folder / file
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        assert old in text, f"{case.name}: {old!r} is not in {file}"
        path.write_text(text.replace(old, new, 1) if old else text + new, encoding="utf-8", newline="")


def case(name: str, code: str | None, place: str, edit: Edit, *more: Edit, says: str = "") -> Case:
    """A case from ``file.ttl:line``."""
    file, _, line = place.partition(":")
    return Case(name, (edit, *more), code, file, int(line) if line else None, says)


A, C, H, R, V = (f"{n}.ttl" for n in ("attributes", "categories", "ontology", "rules", "values"))

SIGNED = 'kg:because "x"@en ; dcterms:creator p:shoes-lead ; dcterms:created "2026-09-20"^^xsd:date .\n'


def rule(text: str) -> Edit:
    """Appends a rule, as in an editor: a blank line, then the rule from line 74."""
    return (R, "", f"\n{text} ;\n    {SIGNED}")


CASES = (
    # --- files
    case(
        "full stop missing",
        "P001",
        f"{C}:13",
        (C, "kg:recommends a:material .", "kg:recommends a:material"),
        says="full stop",
    ),
    case(
        "semicolon missing",
        "P001",
        f"{A}:28",
        (A, 'kg:type kg:Number ; kg:unit "cm"', 'kg:type kg:Number kg:unit "cm"'),
    ),
    case("quote not closed", "P001", f"{V}:5", (V, '"Black"@en', '"Black@en'), says="quote"),
    case("curly quotes", "P001", f"{C}:17", (C, '"Dresses"@en', "“Dresses”@en"), says="curly"),
    case(
        "prefix not declared",
        "P001",
        f"{R}:36",
        (R, "@prefix s:       <https://shop.example/id/segment/> .\n", ""),
        says="s: is not declared",
    ),
    case(
        "two separate syntax errors",
        "P001",
        f"{V}:7",
        (V, "v:red a kg:Value ;", "v:red a b kg:Value ;"),
        (V, "v:m a kg:Value ;", "v:m a b kg:Value ;"),
    ),
    case(
        "bracket not closed",
        "P001",
        f"{R}:51",
        (R, "kg:value false ] ; kg:sure 0.85", "kg:value false ; kg:sure 0.85"),
    ),
    case(
        "merge markers left",
        "P006",
        f"{R}:15",
        (R, "    dcterms:creator p:apparel-lead", "<<<<<<< HEAD\n    dcterms:creator p:apparel-lead"),
        (R, "r:dress-color a", "=======\n>>>>>>> other\nr:dress-color a"),
    ),
    case(
        "wrong namespace",
        "P008",
        f"{V}:1",
        (V, "<https://w3id.org/kgrank", "<http://w3id.org/kgrank"),
        says="http://",
    ),
    # --- things
    case(
        "category in two files",
        "O102",
        f"{H}:24",
        (H, "", '<https://shop.example/id/category/dresses> skos:scopeNote "x"@en .\n'),
    ),
    case("class misspelt", "O103", f"{R}:37", (R, "a kg:Monotone", "a kg:Monoton"), says="kg:Monotone?"),
    case(
        "word misspelt", "O104", f"{C}:20", (C, "kg:requires a:size", "kg:requiers a:size"), says="requires?"
    ),
    case("notation twice", "O111", f"{C}:39", (C, '"AA-2-1"', '"AA-2"'), says="already used by shoes"),
    case("name without language", "O112", f"{C}:32", (C, '"Shoes"@en', '"Shoes"'), says='"Shoes"@en'),
    case("name empty", "O113", f"{C}:32", (C, '"Shoes"@en', '""@en')),
    case(
        "two English names",
        "O114",
        f"{C}:18",
        (C, 'skos:altLabel "Frocks"@en', 'skos:altLabel "Frocks"@en ; skos:prefLabel "Gowns"@en'),
        says="Gowns",
    ),
    case("invisible character", "O116", f"{C}:32", (C, '"Shoes"@en', '"Sho\u200bes"@en')),
    case("English name missing", "O117", f"{A}:38", (A, '"Weight"@en , ', "")),
    case("Chinese name missing", "W117", f"{A}:38", (A, ' , "重量"@zh', "")),
    case("synonym is the name", "W118", f"{C}:18", (C, '"Frocks"@en', '"Dresses"@en')),
    case(
        "replacement does not exist",
        "O121",
        f"{C}:50",
        (C, "dcterms:isReplacedBy c:running-shoes", "dcterms:isReplacedBy c:runing-shoes"),
        says="runing-shoes",
    ),
    # --- attributes
    case("type missing", "O201", f"{A}:34", (A, " ;\n    kg:type kg:Boolean .", " .")),
    case("type misspelt", "O202", f"{A}:36", (A, "kg:Boolean", "kg:Bool")),
    case(
        "choice without values",
        "O203",
        f"{A}:20",
        (A, "kg:type kg:Choice ; kg:values ( v:crew v:v-neck v:halter )", "kg:type kg:Choice"),
    ),
    case("unknown unit", "O205", f"{A}:28", (A, 'kg:unit "cm"', 'kg:unit "inch"'), says='"[in_i]"?'),
    case(
        "unit on a choice",
        "O206",
        f"{A}:12",
        (A, "kg:type kg:Ordered ; kg:values ( v:xs", 'kg:type kg:Ordered ; kg:unit "cm" ; kg:values ( v:xs'),
    ),
    case("min above max", "O207", f"{A}:28", (A, "kg:min 40 ; kg:max 180", "kg:min 180 ; kg:max 40")),
    case("min is text with unit", "O208", f"{A}:28", (A, "kg:min 40 ;", 'kg:min "40 cm" ;'), says="write 40"),
    case("value listed twice", "O210", f"{A}:8", (A, "v:red v:navy )", "v:red v:navy v:red )")),
    case(
        "value used nowhere",
        "W212",
        f"{V}:8",
        (A, "v:red v:navy )", "v:red )"),
        (R, "v:navy v:black", "v:red v:black"),
    ),
    # --- tree and applicability
    case(
        "two parents", "O301", f"{C}:26", (C, "skos:broader c:dresses", "skos:broader c:dresses , c:apparel")
    ),
    case(
        "parent does not exist",
        "O302",
        f"{C}:26",
        (C, "skos:broader c:dresses", "skos:broader c:dreses"),
        says="did you mean dresses?",
    ),
    case(
        "parents in a circle",
        "O304",
        f"{C}:20",
        (C, '    skos:notation "AA" ;\n', '    skos:notation "AA" ;\n    skos:broader c:evening-dresses ;\n'),
        says="apparel > evening-dresses > dresses > apparel",
    ),
    case("sibling with the same name", "O305", f"{C}:32", (C, '"Shoes"@en', '"Dresses"@en')),
    case(
        "recommends an unknown attribute",
        "O310",
        f"{C}:35",
        (C, "kg:recommends a:weight", "kg:recommends a:wieght"),
        says="did you mean weight?",
    ),
    case(
        "repeats what is inherited",
        "W312",
        f"{C}:34",
        (
            C,
            '"鞋"@zh ;\n    skos:broader c:apparel ;\n    kg:requires a:size ;',
            '"鞋"@zh ;\n    skos:broader c:apparel ;\n    kg:requires a:size , a:color ;',
        ),
    ),
    case(
        "narrows what it does not have",
        "O315",
        f"{C}:28",
        (
            C,
            "kg:attribute a:neckline ; kg:values ( v:v-neck v:halter )",
            "kg:attribute a:waterproof ; kg:min 1",
        ),
        says="waterproof",
    ),
    case(
        "narrowing widens the list",
        "O316",
        f"{C}:28",
        (C, "( v:v-neck v:halter )", "( v:v-neck v:red )"),
        says="red",
    ),
    case("narrowing widens the range", "O317", f"{C}:43", (C, "kg:min 120 ;", "kg:min 20 ;"), says="20–450"),
    # --- rules
    case(
        "rule without attribute",
        "R401",
        f"{R}:17",
        (R, "kg:attribute a:color ; kg:share 0.15", "kg:share 0.15"),
    ),
    case(
        "sure and must together",
        "R403",
        f"{R}:55",
        (R, 'kg:must true ;\n    kg:because "Gore', 'kg:must true ; kg:sure 0.9 ;\n    kg:because "Gore'),
    ),
    case("neither sure nor must", "R404", f"{R}:47", (R, " ; kg:sure 0.85", "")),
    case("sure as percent", "R405", f"{R}:13", (R, "kg:sure 0.9 ", "kg:sure 90 "), says="write 0.9"),
    case("sure 1.0", "R405", f"{R}:13", (R, "kg:sure 0.9 ", "kg:sure 1.0 "), says="kg:must true"),
    case("sure at 0.5", "W406", f"{R}:65", (R, "kg:sure 0.55", "kg:sure 0.5")),
    case(
        "hard About", "R407", f"{R}:28", (R, "kg:within 0.1 ; kg:sure 0.75", "kg:within 0.1 ; kg:must true")
    ),
    case("author missing", "R408", f"{R}:12", (R, "    dcterms:creator p:apparel-lead ; ", "    ")),
    case("author unknown", "R409", f"{R}:15", (R, "p:apparel-lead", "p:may")),
    case("attribute twice in an order", "R412", f"{R}:13", (R, "a:color a:neckline )", "a:color a:size )")),
    case("SameAs mixes kinds", "R413", f"{R}:65", (R, "( v:navy v:black )", "( v:navy a:color )")),
    case(
        "rule in an unknown category",
        "R415",
        f"{R}:37",
        (R, "kg:in c:running-shoes", "kg:in c:runing-shoes"),
        says="did you mean running-shoes?",
    ),
    case(
        "rule in a deprecated category",
        "W416",
        f"{R}:37",
        (R, "kg:in c:running-shoes", "kg:in c:trainers"),
        says="use running-shoes",
    ),
    case(
        "attribute dropped below",
        "R418",
        f"{R}:38",
        (R, "kg:attribute a:weight", "kg:attribute a:heel-height"),
        says="color, material, price, size, waterproof, weight",
    ),
    case("attribute not there", "R418", f"{R}:13", (R, "a:color a:neckline )", "a:color a:waterproof )")),
    case(
        "butNot outside the scope", "R419", f"{R}:32", (R, "kg:butNot c:evening-dresses", "kg:butNot c:shoes")
    ),
    case("dead rule", "R420", f"{R}:32", (R, "kg:butNot c:evening-dresses", "kg:butNot c:dresses")),
    case(
        "preferred value not in the list",
        "R421",
        f"{R}:43",
        (R, "( v:v-neck v:halter )", "( v:v-neck v:crew )"),
    ),
    case("share as percent", "R423", f"{R}:18", (R, "kg:share 0.15", "kg:share 15"), says="write 0.15"),
    case(
        "brand unknown",
        "R424",
        f"{R}:70",
        (R, "    kg:share 0.4", "    kg:brand b:aurra ; kg:share 0.4"),
        says="did you mean aurora?",
    ),
    case("segment unknown", "R425", f"{R}:37", (R, "s:runners", "s:runner"), says="did you mean runners?"),
    case(
        "duplicate rule",
        "R426",
        f"{R}:74",
        rule(
            "r:neck2 a kg:Prefers ; kg:in c:evening-dresses ;\n"
            "    kg:attribute a:neckline ; kg:values ( v:v-neck v:halter ) ; kg:sure 0.8"
        ),
    ),
    case(
        "at least above at most",
        "R431",
        f"{R}:75",
        rule(
            "r:price-min a kg:AtLeast ; kg:in c:evening-dresses ;\n"
            "    kg:attribute a:price ; kg:share 0.4 ; kg:sure 0.9"
        ),
        says="dress-price yields",
    ),
    case(
        "minimums above 1 (inherited)",
        "R432",
        f"{R}:74",
        (
            R,
            "",
            "\n"
            + "".join(
                f"r:m{k} a kg:AtLeast ; kg:in c:{c} ; kg:attribute a:{a} ; kg:share {s} ; kg:sure 0.9 ; {SIGNED}"
                for k, (c, a, s) in enumerate(
                    (("shoes", "price", 0.35), ("shoes", "color", 0.3), ("shoes", "weight", 0.25))
                )
            ),
        ),
        says="m0 0.35, m1 0.3, m2 0.25, shoe-size 0.2",
    ),
    case(
        "order against the bounds",
        "R433",
        f"{R}:13",
        rule("r:cap a kg:AtMost ; kg:in c:dresses ; kg:attribute a:size ; kg:share 0.1 ; kg:sure 0.9"),
        says="(cap)",
    ),
    case(
        "order in a circle across rules",
        "R434",
        f"{R}:74",
        rule(
            "r:neck-first a kg:Order ; kg:in c:evening-dresses ; kg:order ( a:neckline a:price a:size ) ; kg:sure 0.9"
        ),
        says="size > color > neckline > price > size",
    ),
    case(
        "value of another attribute in kg:if",
        "R440",
        f"{R}:48",
        (R, "kg:value v:leather", "kg:value v:navy"),
        says="cotton, silk, leather, polyester, gore-tex",
    ),
    case("boolean written as text", "R441", f"{R}:49", (R, "kg:value false", 'kg:value "no"')),
    case(
        "number with unit in a condition",
        "R442",
        f"{R}:48",
        (R, "kg:attribute a:material ; kg:value v:leather", 'kg:attribute a:weight ; kg:value "300 g"'),
        says="write 300",
    ),
    case(
        "number in the wrong unit",
        "R443",
        f"{R}:48",
        (R, "kg:attribute a:material ; kg:value v:leather", "kg:attribute a:weight ; kg:value 0.3"),
        says="50–3000 g",
    ),
)


@dataclass(frozen=True)
class BytesCase:
    """A whole file put in place of another, and where the check must find it; ``code`` None: accepted."""

    name: str
    file: str
    code: str | None
    line: int = 1


def as_bytes(folder: Path, case: BytesCase) -> None:
    """Writes the damaged file."""
    path = folder / case.file
    text = path.read_text(encoding="utf-8")
    damaged = {
        "GBK-encoded file": lambda: text.encode("gbk"),
        "UTF-16 from Notepad": lambda: text.encode("utf-16"),
        "UTF-8 with BOM": lambda: text.encode("utf-8-sig"),
        "Windows line ends": lambda: text.replace("\n", "\r\n").encode(),
        "empty file": lambda: b"",
        "CSV saved as .ttl": lambda: b"id,name\nred,Red\nnavy,Navy\n",
    }
    path.write_bytes(damaged[case.name]())


BYTES_CASES = (
    BytesCase("GBK-encoded file", V, "P004", 5),
    BytesCase("UTF-16 from Notepad", V, "P003"),
    BytesCase("UTF-8 with BOM", V, None),
    BytesCase("Windows line ends", V, None),
    BytesCase("empty file", R, "P005"),
    BytesCase("CSV saved as .ttl", V, "P001"),
)

MORE_CASES = (
    case("stray space", "W116", f"{C}:32", (C, '"Shoes"@en', '"Shoes "@en'), says='Write "Shoes"'),
    case("two spaces", "W116", f"{C}:40", (C, '"Running shoes"@en', '"Running  shoes"@en')),
    case(
        "narrower that is not the reverse of a broader",
        "O307",
        f"{C}:19",
        (C, "    skos:broader c:apparel ;\n", "    skos:narrower c:shoes ; skos:broader c:apparel ;\n"),
        says="Write it on shoes: skos:broader dresses",
    ),
    case(
        "replaces that is not the reverse of a replacement",
        "W125",
        f"{C}:32",
        (C, '"Shoes"@en , "鞋"@zh ;', '"Shoes"@en , "鞋"@zh ; dcterms:replaces c:dresses ;'),
    ),
    case(
        "a state of another vocabulary",
        "W124",
        f"{C}:32",
        (
            C,
            '"Shoes"@en , "鞋"@zh ;',
            '"Shoes"@en , "鞋"@zh ; <http://www.w3.org/ns/adms#status> "deprecated" ;',
        ),
        says="owl:deprecated true",
    ),
    case(
        "a label of SKOS-XL",
        "W126",
        f"{C}:32",
        (
            C,
            '"Shoes"@en , "鞋"@zh ;',
            '"Shoes"@en , "鞋"@zh ; <http://www.w3.org/2008/05/skos-xl#altLabel> [ <http://www.w3.org/2008/05/skos-xl#literalForm> "kicks"@en ] ;',
        ),
        says="Write skos:altLabel",
    ),
    case(
        "a label of RDFS in a language without a name",
        "W126",
        f"{C}:32",
        (
            C,
            '"Shoes"@en , "鞋"@zh ;',
            '"Shoes"@en , "鞋"@zh ; <http://www.w3.org/2000/01/rdf-schema#label> "Schuhe"@de ;',
        ),
        says="Write skos:prefLabel",
    ),
    case(
        "a name of schema.org that is read from nowhere",
        "W126",
        f"{C}:32",
        (
            C,
            '"Shoes"@en , "鞋"@zh ;',
            '"Shoes"@en , "鞋"@zh ; <https://schema.org/alternateName> "kicks"@en ;',
        ),
        says="Write skos:altLabel",
    ),
    case(
        "a replacement of schema.org",
        "W126",
        f"{C}:32",
        (C, '"Shoes"@en , "鞋"@zh ;', '"Shoes"@en , "鞋"@zh ; <https://schema.org/supersededBy> c:dresses ;'),
        says="Write dcterms:isReplacedBy",
    ),
    case(
        "a parent in the words of OWL",
        "O104",
        f"{C}:32",
        (
            C,
            '"Shoes"@en , "鞋"@zh ;',
            '"Shoes"@en , "鞋"@zh ; <http://www.w3.org/2000/01/rdf-schema#subClassOf> c:dresses ;',
        ),
        says="Write skos:broader",
    ),
    case(
        "narrowerTransitive without a broader",
        "O307",
        f"{C}:32",
        (C, '"Shoes"@en , "鞋"@zh ;', '"Shoes"@en , "鞋"@zh ; skos:narrowerTransitive c:apparel ;'),
        says="Write it on apparel",
    ),
    case(
        "a top concept that is below another",
        "W127",
        f"{C}:32",
        (
            C,
            '"Shoes"@en , "鞋"@zh ;',
            '"Shoes"@en , "鞋"@zh ; skos:topConceptOf <https://shop.example/scheme> ;',
        ),
        says="delete one of the two",
    ),
    case(
        "a state that an editor keeps",
        "W124",
        f"{C}:32",
        (
            C,
            '"Shoes"@en , "鞋"@zh ;',
            '"Shoes"@en , "鞋"@zh ; <http://art.uniroma2.it/ontologies/vocbench#conceptStatus> "withdrawn" ;',
        ),
        says="owl:deprecated true",
    ),
    case(
        "a class that is out of use",
        "W124",
        f"{C}:30",
        (C, "c:shoes a kg:Category ;", "c:shoes a kg:Category , owl:DeprecatedClass ;"),
    ),
    case(
        "a full stop at the end of a name",
        "W116",
        f"{C}:32",
        (C, '"Shoes"@en', '"Shoes."@en'),
        says='Write "Shoes"',
    ),
    case(
        "a no-break space in a name", "W116", f"{C}:40", (C, '"Running shoes"@en', '"Running\u00a0shoes"@en')
    ),
    case("a zero-width space in a name", "O116", f"{C}:32", (C, '"Shoes"@en', '"Sho\u200bes"@en')),
    case(
        "a concept of no kind",
        "W128",
        f"{V}:25",
        (V, "", 'v:mint a skos:Concept ; skos:prefLabel "Mint"@en .\n'),
        says="Write a kg:Category",
    ),
    case(
        "a collection of values",
        "W128",
        f"{V}:25",
        (V, "", "v:greens a skos:OrderedCollection ; skos:memberList ( v:red v:navy ) .\n"),
        says="kg:values",
    ),
    case(
        "no suggestion from another namespace",
        "O104",
        f"{C}:32",
        (C, '"Shoes"@en , "鞋"@zh ;', '"Shoes"@en , "鞋"@zh ; dcterms:broader c:dresses ;'),
        says="Known: isReplacedBy",
    ),
    case("two headers", "O101", f"{H}:25", (H, "", "\n<https://shop.example/other> a owl:Ontology .\n")),
    case("kind not said", "O105", f"{V}:25", (V, "", 'v:green skos:prefLabel "Green"@en .\n')),
    case("decimal comma", "O106", f"{R}:13", (R, "kg:sure 0.9 ", "kg:sure 0,9 "), says="Write 0.9"),
    case("list without brackets", "O107", f"{A}:20", (A, "( v:crew v:v-neck v:halter )", "v:crew")),
    case(
        "word of another kind",
        "O108",
        f"{C}:34",
        (
            C,
            "    kg:requires a:size ;\n    kg:recommends a:weight",
            '    kg:requires a:size ; kg:unit "cm" ;\n    kg:recommends a:weight',
        ),
    ),
    case("notation missing", "O109", f"{V}:7", (V, 'skos:notation "red" ; ', "")),
    case("two kinds", "O110", f"{V}:7", (V, "v:red a kg:Value ;", "v:red a kg:Value , kg:Brand ;")),
    case(
        "the same id twice",
        "O115",
        f"{V}:25",
        (
            V,
            "",
            '<https://other.example/red> a kg:Value ; skos:notation "red2" ; skos:prefLabel "R"@en , "R"@zh .\n',
        ),
    ),
    case("deprecated is text", "O120", f"{C}:49", (C, "owl:deprecated true", 'owl:deprecated "yes"')),
    case(
        "deprecated without replacement",
        "W120",
        f"{C}:49",
        (C, "owl:deprecated true ;\n    dcterms:isReplacedBy c:running-shoes .", "owl:deprecated true ."),
    ),
    case("replaced but not deprecated", "W123", f"{C}:49", (C, "    owl:deprecated true ;\n", "")),
    case("version missing", "O125", f"{H}:10", (H, '    owl:versionInfo "2026.10" ;\n', "")),
    case("languages missing", "O126", f"{H}:10", (H, '    dcterms:language "en" , "zh" ;\n', "")),
    case(
        "listed value not described",
        "O204",
        f"{A}:20",
        (A, "v:v-neck v:halter )", "v:v-nek v:halter )"),
        says="did you mean v-neck?",
    ),
    case(
        "number without unit", "O209", f"{A}:28", (A, 'kg:type kg:Number ; kg:unit "cm"', "kg:type kg:Number")
    ),
    case(
        "values on a Boolean",
        "O211",
        f"{A}:36",
        (A, "kg:type kg:Boolean .", "kg:type kg:Boolean ; kg:values ( v:red ) ."),
    ),
    case(
        "values of an unknown attribute",
        "O213",
        f"{A}:20",
        (A, "kg:values ( v:crew v:v-neck v:halter )", "kg:valuesOf a:necklin"),
        says="neckline",
    ),
    case(
        "range on a Boolean",
        "O214",
        f"{A}:36",
        (A, "kg:type kg:Boolean .", "kg:type kg:Boolean ; kg:min 0 ."),
    ),
    case(
        "values in a circle",
        "O215",
        f"{A}:20",
        (A, "kg:values ( v:crew v:v-neck v:halter )", "kg:valuesOf a:neckline"),
    ),
    case(
        "own parent",
        "O303",
        f"{C}:19",
        (
            C,
            "skos:broader c:apparel ;\n    kg:requires a:size ;\n    kg:recommends a:neckline",
            "skos:broader c:dresses ;\n    kg:requires a:size ;\n    kg:recommends a:neckline",
        ),
    ),
    case(
        "second place unknown",
        "O306",
        f"{C}:33",
        (
            C,
            '"鞋"@zh ;\n    skos:broader c:apparel ;',
            '"鞋"@zh ;\n    skos:broader c:apparel ; kg:alsoUnder c:dreses ;',
        ),
    ),
    case(
        "required and dropped",
        "O311",
        f"{C}:34",
        (
            C,
            "    kg:requires a:size ;\n    kg:recommends a:weight",
            "    kg:requires a:size ; kg:drops a:size ;\n    kg:recommends a:weight",
        ),
    ),
    case(
        "drops what is not inherited",
        "O313",
        f"{C}:42",
        (C, "kg:drops a:heel-height", "kg:drops a:neckline , a:heel-height"),
    ),
    case("incomplete narrowing", "O314", f"{C}:43", (C, " ; kg:min 120 ; kg:max 450 ]", " ]")),
    case("attribute used nowhere", "W318", f"{A}:26", (C, " , a:length .", " .")),
    case(
        "field of another kind",
        "R402",
        f"{R}:33",
        (R, "kg:attribute a:material ; kg:sure 0.6", "kg:attribute a:material ; kg:share 0.1 ; kg:sure 0.6"),
    ),
    case("date is no date", "R410", f"{R}:15", (R, '"2026-09-12"^^xsd:date', '"12.9.2026"^^xsd:date')),
    case(
        "no reason",
        "W411",
        f"{R}:12",
        (R, '    kg:because "Shoppers filter by size first (search logs, week 36)."@en ;\n', ""),
    ),
    case("no place", "R414", f"{R}:12", (R, " ; kg:in c:dresses ;\n    kg:order", " ;\n    kg:order")),
    case("one thing in an order", "R422", f"{R}:13", (R, "( a:size a:color a:neckline )", "( a:size )")),
    case(
        "bounded twice",
        "W427",
        f"{R}:74",
        rule("r:more a kg:AtLeast ; kg:in c:dresses ; kg:attribute a:color ; kg:share 0.1 ; kg:sure 0.9"),
    ),
    case(
        "attribute of a rule unknown",
        "R428",
        f"{R}:18",
        (R, "kg:attribute a:color ; kg:share", "kg:attribute a:colr ; kg:share"),
        says="did you mean color?",
    ),
    case(
        "no more and less",
        "R429",
        f"{R}:38",
        (R, "kg:attribute a:weight ; kg:better", "kg:attribute a:color ; kg:better"),
    ),
    case(
        "more and less",
        "R430",
        f"{R}:74",
        rule(
            "r:heavy a kg:Monotone ; kg:in c:running-shoes ; kg:attribute a:weight ; kg:better kg:More ; kg:sure 0.9"
        ),
        says="heavy yields",
    ),
    case(
        "implied and excluded",
        "R435",
        f"{R}:75",
        rule(
            "r:wet a kg:Excludes ; kg:in c:shoes ; kg:if [ kg:attribute a:material ; kg:value v:leather ] ;\n"
            "    kg:then [ kg:attribute a:waterproof ; kg:value false ] ; kg:must true"
        ),
        says="leather-wet yields",
    ),
    case(
        "greatest shares below 1",
        "R436",
        f"{R}:74",
        (
            R,
            "",
            "\n"
            + "".join(
                f"r:c{k} a kg:AtMost ; kg:in c:apparel ; kg:attribute a:{a} ; kg:share 0.3 ; kg:must true ; {SIGNED}"
                for k, a in enumerate(("color", "price", "material"))
            ),
        ),
    ),
    case(
        "preferences in a circle",
        "R438",
        f"{R}:74",
        rule(
            "r:halter a kg:Prefers ; kg:in c:dresses ; kg:attribute a:neckline ; kg:values ( v:halter v:v-neck ) ; kg:sure 0.9"
        ),
        says="evening-neck yields",
    ),
    case(
        "condition without a value",
        "R444",
        f"{R}:48",
        (R, "[ kg:attribute a:material ; kg:value v:leather ]", "[ kg:attribute a:material ]"),
    ),
    case("top is a text", "R445", f"{R}:70", (R, "kg:top 10", 'kg:top "ten"')),
    case("better is neither", "R446", f"{R}:38", (R, "kg:better kg:Less", "kg:better kg:Lower")),
    case(
        "short name of another shop",
        "P009",
        f"{R}:5",
        (R, "@prefix a:       <https://shop.example/id/", "@prefix a:       <https://shop.example/"),
    ),
    case(
        "kind of another thing",
        "O108",
        f"{C}:15",
        (C, "c:dresses a kg:Category", "c:dresses a kg:Order"),
        says="those of a category",
    ),
    case(
        "person deleted",
        "R409",
        f"{R}:15",
        (H, 'p:apparel-lead    a kg:Person ; skos:prefLabel "Apparel lead"@en .\n', ""),
        says="and 5 more times",
    ),
    # --- odd forms of otherwise sensible things
    case(
        "label without a name",
        "O105",
        f"{R}:74",
        rule("_:b a kg:Irrelevant ; kg:in c:dresses ; kg:attribute a:price ; kg:sure 0.8"),
    ),
    case(
        "bracket in place of a category", "O105", f"{R}:12", (R, "kg:in c:dresses", "kg:in [ a kg:Category ]")
    ),
    case(
        "id with an equals sign",
        "O119",
        f"{V}:25",
        (V, "", '<https://x.example/a=b> a kg:Value ; skos:notation "ab" ; skos:prefLabel "A"@en .\n'),
    ),
    case(
        "digits of another script",
        "R423",
        f"{R}:74",
        rule(
            'r:x a kg:AtLeast ; kg:in c:shoes ; kg:attribute a:price ; kg:share "٠.٢"^^xsd:decimal ; kg:sure 0.8'
        ),
    ),
    case(
        "must in quotes",
        "R404",
        f"{R}:74",
        rule('r:x a kg:Irrelevant ; kg:in c:shoes ; kg:attribute a:size ; kg:must "true"'),
        says="no quotes",
    ),
    case(
        "categories in a list",
        "R415",
        f"{R}:74",
        rule("r:x a kg:Irrelevant ; kg:in ( c:shoes c:dresses ) ; kg:attribute a:size ; kg:sure 0.8"),
        says="with commas",
    ),
    case(
        "order without brackets",
        "O107",
        f"{R}:74",
        rule("r:x a kg:Order ; kg:in c:shoes ; kg:order a:price , a:size ; kg:sure 0.8"),
    ),
    case(
        "preferred values of a number",
        "R421",
        f"{R}:74",
        rule(
            "r:x a kg:Prefers ; kg:in c:shoes ; kg:attribute a:price ; kg:values ( v:red v:black ) ; kg:sure 0.8"
        ),
    ),
    case(
        "implies what it needs",
        "R420",
        f"{R}:74",
        rule(
            "r:x a kg:Implies ; kg:in c:shoes ; kg:if [ kg:attribute a:color ; kg:value v:red ] ; kg:then [ kg:attribute a:color ; kg:value v:black ] ; kg:sure 0.8"
        ),
    ),
    case(
        "excludes itself",
        "R420",
        f"{R}:74",
        rule(
            "r:x a kg:Excludes ; kg:in c:shoes ; kg:if [ kg:attribute a:color ; kg:value v:red ] ; kg:then [ kg:attribute a:color ; kg:value v:red ] ; kg:must true"
        ),
    ),
    case(
        "inherits from nothing",
        "R420",
        f"{R}:74",
        rule("r:x a kg:Inherits ; kg:in c:alone ; kg:attribute a:price ; kg:share 0.5 ; kg:sure 0.8"),
        (
            C,
            "",
            '\nc:alone a kg:Category ; skos:notation "ZZ" ; skos:prefLabel "Alone"@en , "独"@zh ; kg:requires a:price .\n',
        ),
    ),
    case("date without dashes", "R410", f"{R}:15", (R, '"2026-09-12"^^xsd:date', '"20260912"^^xsd:date')),
    case("narrowed to nothing", "O314", f"{C}:28", (C, "kg:values ( v:v-neck v:halter )", "kg:values ()")),
    case(
        "type in quotes",
        "O202",
        f"{A}:36",
        (A, "kg:type kg:Boolean", 'kg:type "Boolean"'),
        says="without quotes",
    ),
    case(
        "values without brackets",
        "O107",
        f"{A}:20",
        (A, "kg:values ( v:crew v:v-neck v:halter )", "kg:values v:crew , v:v-neck , v:halter"),
    ),
    case(
        "values of a number",
        "O213",
        f"{A}:20",
        (A, "kg:values ( v:crew v:v-neck v:halter )", "kg:valuesOf a:weight"),
        says="no values to take",
    ),
    case(
        "unit with a language",
        "O205",
        f"{A}:28",
        (A, 'kg:unit "cm"', 'kg:unit "cm"@en'),
        says="without a language",
    ),
    case(
        "under itself",
        "O306",
        f"{C}:34",
        (
            C,
            "skos:broader c:apparel ;\n    kg:requires a:size ;\n    kg:recommends a:weight",
            "skos:broader c:apparel ;\n    kg:alsoUnder c:shoes ; kg:requires a:size ;\n    kg:recommends a:weight",
        ),
    ),
    case(
        "language that is no tag",
        "O126",
        f"{H}:14",
        (H, 'dcterms:language "en" , "zh"', 'dcterms:language "english"'),
        says="no",
    ),
    case(
        "language that nothing is named in",
        "O126",
        f"{H}:14",
        (H, 'dcterms:language "en" , "zh"', 'dcterms:language "en" , "zh" , "de"'),
        says="in de",
    ),
    case(
        "statement about a statement",
        "P001",
        f"{R}:74",
        (R, "", "\n<< c:shoes kg:requires a:size >> dcterms:creator p:shoes-lead .\n"),
        says="Turtle 1.2",
    ),
    case("another format", "P001", f"{R}:1", (R, "@prefix", '<?xml version="1.0"?>\n@prefix'), says="XML"),
)
