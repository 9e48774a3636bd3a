# ruff: noqa: E501 (rows of files)
"""Taxonomies of other systems: unfolded they say exactly what was there, ids lead back, collisions have names."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from benchmarks.data_sets import data_folder
from kgrank.cli.main import app
from kgrank.errors import InputError
from kgrank.ontology.check import examine
from kgrank.ontology.imports.fold import fold
from kgrank.ontology.imports.plan import (
    Plan,
    PlannedCategory,
    given,
    identifier,
    original,
)
from kgrank.ontology.layout import format_folder
from kgrank.ontology.model import AttributeType, Need, Ontology
from kgrank.ontology.read import read_ontology
from kgrank.profiling.schema_org import read_schema_org
from kgrank.profiling.taxonomies import bring

RUN = CliRunner()


def brought(system: str, source: Path, folder: Path) -> Ontology:
    bring(system, source, folder)
    return read_ontology(folder)


def needs(ontology: Ontology, category: str) -> dict[str, str]:
    return {a: str(x.need) for a, x in ontology.applicable(category).items()}


@for_all(st.text(min_size=1))
def test_an_id_leads_back_to_its_name(name: str) -> None:
    name = name.encode("utf-8", "ignore").decode() or "x"
    assert original(identifier(name)) == name
    assert re.sub("_((?:[0-9a-f]{2})+)_", lambda m: bytes.fromhex(m[1]).decode(), given(name)) == name


def test_ids_stay_readable() -> None:
    assert identifier("X-back suspender") == "X-back_suspender"
    assert identifier("Door/Frame application") != identifier("Door frame application")
    assert given("care_instructions") == "care_instructions"


NEEDS = st.dictionaries(st.sampled_from("abcdef"), st.sampled_from(list(Need)), max_size=6)


@settings(deadline=None)
@for_all(st.lists(st.tuples(st.integers(0, 30), NEEDS), min_size=1, max_size=12))
def test_folding_unfolds_to_what_was_there(rows: list[tuple[int, dict[str, Need]]]) -> None:
    categories = tuple(
        PlannedCategory(f"c{n}", {"en": f"C{n}"}, f"c{up % n}" if n and up % 3 else None, uses)
        for n, (up, uses) in enumerate(rows)
    )
    folded = fold(Plan(categories))
    for category in categories:
        way = [category]
        while way[-1].parent is not None:
            way.append(next(c for c in categories if c.id == way[-1].parent))
        uses: dict[str, Need] = {}
        for step in reversed(way):
            uses = {a: n for a, n in uses.items() if a not in folded[step.id].drops} | dict(
                folded[step.id].uses
            )
        assert uses == dict(category.uses)


@pytest.mark.data("shopify_taxonomy")
def test_the_whole_shopify_taxonomy_unfolds_to_its_38560_links(tmp_path: Path) -> None:
    taxonomy = data_folder("shopify_taxonomy")
    lines = bring("shopify", taxonomy, tmp_path / "shop")
    assert lines[:2] == [
        "categories 10282, attributes 2265, links 38560",
        "folded into inheritance: 8741 added, 995 dropped",
    ]
    found = examine(tmp_path / "shop")
    assert found.ontology is not None
    assert {m.code for m in found.messages} == {"W318"}
    written = {
        (c["id"], given(a))
        for c in json.loads((taxonomy / "categories.json").read_text(encoding="utf-8"))
        for a in c["attributes"]
    }
    unfolded = {(c, a) for c in found.ontology.categories for a in found.ontology.applicable(c)}
    assert unfolded == written
    assert len(unfolded) == 38_560


SHOPIFY = {
    "categories.json": {
        "version": "2026-02",
        "verticals": [{
            "name": "Apparel", "prefix": "aa",
            "categories": [
                {"id": "gid://shopify/TaxonomyCategory/aa", "name": "Apparel", "parent_id": None,
                 "attributes": [{"id": "gid://shopify/TaxonomyAttribute/1", "name": "Color", "handle": "color"}]},
                {"id": "gid://shopify/TaxonomyCategory/aa-1", "name": "Shoes",
                 "parent_id": "gid://shopify/TaxonomyCategory/aa",
                 "attributes": [{"handle": "color", "name": "Color"}, {"handle": "sole-color", "name": "Sole color"}]},
            ],
        }],
    },
    "attributes.json": {
        "version": "2026-02",
        "attributes": [{"id": "gid://shopify/TaxonomyAttribute/1", "name": "Color", "handle": "color",
                        "extended_attributes": [{"name": "Sole color", "handle": "sole-color"}],
                        "values": [{"name": "Red", "handle": "color__red"}, {"name": "Blue", "handle": "color__blue"}]}],
    },
}  # fmt: skip


def test_the_published_shopify_files_are_read(tmp_path: Path) -> None:
    for name, document in SHOPIFY.items():
        (tmp_path / name).write_text(json.dumps(document), encoding="utf-8")
    ontology = brought("shopify", tmp_path, tmp_path / "shop")
    assert ontology.version == "2026-02"
    assert needs(ontology, "aa-1") == {"color": "allowed", "sole-color": "allowed"}
    assert ontology.categories["aa-1"].uses.keys() == {"sole-color"}
    assert ontology.attributes["sole-color"].values == ("color.Red", "color.Blue")


def test_the_shopify_text_file_gives_the_tree(tmp_path: Path) -> None:
    path = tmp_path / "categories.txt"
    path.write_text(
        "# Shopify Product Taxonomy - Categories: 2026-02\n"
        "gid://shopify/TaxonomyCategory/aa   : Apparel\n"
        "gid://shopify/TaxonomyCategory/aa-1 : Apparel > Shoes\n",
        encoding="utf-8",
    )
    ontology = brought("shopify", path, tmp_path / "shop")
    assert ontology.categories["aa-1"].parent == "aa"
    assert ontology.categories["aa-1"].name() == "Shoes"
    path.write_text("aa Apparel\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"categories\.txt:1: cannot read"):
        bring("shopify", path, tmp_path / "other")


@pytest.mark.parametrize("numbered", [True, False])
def test_the_google_taxonomy_gives_the_tree(numbered: bool, tmp_path: Path) -> None:
    paths = ["Animals & Pet Supplies", "Animals & Pet Supplies > Live Animals", "Media"]
    lines = [f"{n} - {p}" if numbered else p for n, p in enumerate(paths, 1)]
    source = tmp_path / "taxonomy.txt"
    source.write_text("\n".join(["# Google_Product_Taxonomy_Version: 2021-09-21", *lines]), encoding="utf-8")
    ontology = brought("google", source, tmp_path / "shop")
    tree = {c.name(): c.parent and ontology.categories[c.parent].name() for c in ontology.categories.values()}
    assert tree == {"Animals & Pet Supplies": None, "Live Animals": "Animals & Pet Supplies", "Media": None}
    assert ontology.version == "2021-09-21"
    source.write_text("A > B\n", encoding="utf-8")
    with pytest.raises(InputError, match=r'taxonomy\.txt:1: the category "A > B" comes before "A"'):
        bring("google", source, tmp_path / "other")


AKENEO = {
    "families.csv": "code;label-en_US;label-zh_CN;attributes;requirements-web;requirements-app\n"
    "shoes;Shoes;鞋;sku,color,heel,price;color,price;price\nhats;Hats;帽子;sku,color;;\n",
    "attributes.csv": "code;type;label-en_US;label-zh_CN;default_metric_unit\n"
    "sku;pim_catalog_identifier;SKU;编号;\ncolor;pim_catalog_simpleselect;Color;颜色;\n"
    "heel;pim_catalog_metric;Heel;跟;CENTIMETER\nprice;pim_catalog_price_collection;Price;价格;\n",
    "attribute_options.csv": "code;attribute;sort_order;label-en_US;label-zh_CN\nred;color;1;Red;红\nblue;color;2;Blue;蓝\n",
}


def test_akeneo_families_become_categories(tmp_path: Path) -> None:
    for name, text in AKENEO.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    ontology = brought("akeneo", tmp_path, tmp_path / "shop")
    assert format_folder(tmp_path / "shop") == {}
    assert needs(ontology, "shoes") == {
        "color": "required",
        "price": "required",
        "sku": "allowed",
        "heel": "allowed",
    }
    assert ontology.categories["shoes"].names == {"en": "Shoes", "zh": "鞋"}
    assert ontology.attributes["color"].values == ("color.red", "color.blue")
    assert (ontology.attributes["heel"].type, ontology.attributes["heel"].unit) == (
        AttributeType.NUMBER,
        "cm",
    )
    alone = tmp_path / "alone"
    alone.mkdir()
    (alone / "families.csv").write_text(AKENEO["families.csv"], encoding="utf-8")
    assert (
        brought("akeneo", alone / "families.csv", tmp_path / "shop2").attributes["color"].type
        is AttributeType.TEXT
    )


def test_a_required_attribute_outside_of_its_family_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "families.csv"
    path.write_text("code;attributes;requirements-web\nshoes;color;color,heel\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"families\.csv:2: the family shoes requires heel"):
        bring("akeneo", path, tmp_path / "shop")


def product(n: int, **more: object) -> dict[str, object]:
    return {
        "@type": "Product", "name": f"Item {n}", "category": "Shoes > Boots" if n % 2 else "Shoes",
        "brand": {"@type": "Brand", "name": "Aurora" if n % 3 else "Trailo"},
        "offers": {"price": 10 + n, "priceCurrency": "EUR"}, "color": "Red" if n % 2 else "Blue",
        "additionalProperty": [{"name": "Heel", "value": 3 + n, "unitCode": "CMT"}, {"name": "Waterproof", "value": True}],
        **more,
    }  # fmt: skip


@pytest.mark.parametrize("form", ["lines", "graph"])
def test_attributes_are_proposed_from_schema_org_products(form: str, tmp_path: Path) -> None:
    products = [product(n) for n in range(12)]
    text = "\n".join(map(json.dumps, products)) if form == "lines" else json.dumps({"@graph": products})
    source = tmp_path / "dump.jsonld"
    source.write_text(text, encoding="utf-8")
    lines = bring("schema.org", source, tmp_path / "shop")
    ontology = read_ontology(tmp_path / "shop")
    types = {a.id: (str(a.type), a.unit) for a in ontology.attributes.values()}
    assert types == {
        "brand": ("Choice", None), "price": ("Number", "EUR"), "color": ("Choice", None),
        "Heel": ("Number", "cm"), "Waterproof": ("Boolean", None),
    }  # fmt: skip
    assert ontology.categories["Shoes.Boots"].parent == "Shoes"
    assert set(ontology.brands) == {"Aurora", "Trailo"}
    assert "color is proposed as Choice: 100% of products, 2 texts" in lines


MAPPING = """categories: {file: cats.csv, id: Code, parent: Above, name.en: Title, name.zh: 标题}
attributes: {file: attrs.csv, id: Key, name.en: Label, type: Kind, values: Allowed, unit: Unit}
links: {file: links.csv, category: Cat, attribute: Attr, need: How}
"""


def test_plain_csv_is_read_by_a_mapping(tmp_path: Path) -> None:
    files = {
        "mapping.yaml": MAPPING,
        "cats.csv": "Code,Above,Title,标题\ns,,Shoes,鞋\nb,s,Boots,靴\n",
        "attrs.csv": "Key,Label,Kind,Allowed,Unit\ncolor,Color,Choice,Red|Dark blue,\nheel,Heel,Number,,mm\n",
        "links.csv": "Cat,Attr,How\ns,color,required\nb,heel,recommended\n",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    ontology = brought("csv", tmp_path / "mapping.yaml", tmp_path / "shop")
    assert needs(ontology, "b") == {"color": "required", "heel": "recommended"}
    assert ontology.attributes["color"].values == ("color.Red", "color.Dark_blue")
    (tmp_path / "links.csv").write_text("Cat,Attr,How\ns,colour,required\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"links\.csv:2: there is no attribute colour.*Did you mean color"):
        bring("csv", tmp_path / "mapping.yaml", tmp_path / "other")
    (tmp_path / "mapping.yaml").write_text("categories: {file: cats.csv, idd: Code}\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"categories has no idd\. Did you mean id"):
        bring("csv", tmp_path / "mapping.yaml", tmp_path / "other")


def test_two_things_with_one_id_are_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "families.csv").write_text("code;attributes\nshoes;color\nshoes;size\n", encoding="utf-8")
    with pytest.raises(
        InputError, match=r'families\.csv:3: the family "shoes" and the family "shoes" \(.*:2\)'
    ):
        bring("akeneo", tmp_path / "families.csv", tmp_path / "shop")
    assert not (tmp_path / "shop").exists()


def test_the_command_begins_an_ontology_and_never_writes_over_one(tmp_path: Path) -> None:
    (tmp_path / "families.csv").write_text("code;attributes\nshoes;color\n", encoding="utf-8")
    arguments = [
        "ontology",
        "import",
        str(tmp_path / "shop"),
        str(tmp_path / "families.csv"),
        "--from",
        "akeneo",
    ]
    result = RUN.invoke(app, arguments)
    assert result.exit_code == 0
    assert result.output.startswith("categories 1, attributes 1, links 1\n")
    again = RUN.invoke(app, arguments)
    assert isinstance(again.exception, InputError)
    assert "there are Turtle files in this folder" in str(again.exception)


def test_variants_lists_and_ranges_of_prices_are_read_as_schema_org_writes_them(tmp_path: Path) -> None:
    group = {
        "@type": "ProductGroup",
        "category": ["Apparel > Dresses"],
        "brand": {"@type": "Brand", "name": "Bolt"},
        "hasVariant": [
            {
                "@type": ["Product", "IndividualProduct"],
                "color": ["Red", "Blue"][: 1 + k % 2],
                "offers": {"@type": "AggregateOffer", "lowPrice": 10 + k, "priceCurrency": "EUR"},
                "additionalProperty": {
                    "@type": "PropertyValue",
                    "name": "Lined",
                    "value": ["yes", "no"][k % 2],
                },
            }
            for k in range(40)
        ],
    }
    path = tmp_path / "products.json"
    path.write_text(json.dumps({"@graph": [group]}), encoding="utf-8")
    plan = read_schema_org(path)
    types = {a.id: a.type for a in plan.attributes}
    assert types == {
        "brand": AttributeType.CHOICE,
        "color": AttributeType.CHOICES,
        "price": AttributeType.NUMBER,
        "Lined": AttributeType.BOOLEAN,
    }
    assert plan.brands == {"Bolt": "Bolt"}
    assert {"en": "Red"} in next(a for a in plan.attributes if a.id == "color").values.values()
    assert all(remark.split(": ")[1].startswith("100%") for remark in plan.remarks)


def test_google_at_full_size_with_marks_windows_ends_and_numbers(tmp_path: Path) -> None:
    lines = ["\ufeff# Google_Product_Taxonomy_Version: 2021-09-21"]
    for top in range(21):
        lines.append(f"{len(lines)} - Top & {top}")
        for middle in range(15):
            lines.append(f"{len(lines)} - Top & {top} > Café/Bar, 100% {middle}")
            lines += [
                f"{len(lines) + k} - Top & {top} > Café/Bar, 100% {middle} > T-shirts ({k})"
                for k in range(16)
            ]
    path = tmp_path / "taxonomy-with-ids.en-US.txt"
    path.write_bytes(("\r\n".join(lines) + "\r\n").encode())
    bring("google", path, tmp_path / "new")
    ontology = read_ontology(tmp_path / "new")
    assert len(ontology.categories) == len(lines) - 1 == 5376
    assert len(ontology.roots) == 21
    assert ontology.version == "2021-09-21"


def test_akeneo_at_a_shops_size_with_every_type_unfolds_to_its_families(tmp_path: Path) -> None:
    kinds = [
        "simpleselect",
        "multiselect",
        "boolean",
        "number",
        "metric",
        "price_collection",
        "text",
        "date",
        "image",
    ]
    codes = [f"attr_{k}" for k in range(180)]
    families = ["code;label-en_US;label-zh_CN;attributes;requirements-ecommerce"]
    families += [
        f'fam_{k};"Family {k}, ""big""";家族{k};sku,{",".join(codes[k % 150 : k % 150 + 30])};sku,{codes[k % 150]}'
        for k in range(250)
    ]
    attributes = [
        "code;type;label-en_US;metric_family;default_metric_unit",
        "sku;pim_catalog_identifier;SKU;;",
    ]
    attributes += [f"{c};pim_catalog_{kinds[k % 9]};Attr {k};;CENTIMETER" for k, c in enumerate(codes)]
    options = ["code;attribute;sort_order;label-en_US"]
    options += [f"{o};{c};{o};Option {o}" for k, c in enumerate(codes) if k % 9 < 2 for o in range(12)]
    for name, rows in (("families", families), ("attributes", attributes), ("attribute_options", options)):
        (tmp_path / f"{name}.csv").write_text("\n".join(rows) + "\n", encoding="utf-8-sig")
    bring("akeneo", tmp_path, tmp_path / "new")
    assert examine(tmp_path / "new").errors == []
    ontology = read_ontology(tmp_path / "new")
    assert sum(len(ontology.applicable(c)) for c in ontology.categories) == 250 * 31
    assert ontology.applicable("fam_7")["attr_7"].need is Need.REQUIRED
    assert ontology.attributes["attr_4"].unit == "cm"


def test_quantities_and_spellings_of_schema_org_are_read_as_a_catalogue_s_are(tmp_path: Path) -> None:
    products = [
        {
            "@type": "Product",
            "category": "Coffee > Grinders",
            "brand": {"name": ("HARIO", "Hario", "Hario")[n % 3]},
            "offers": {"price": f"{10 + n}.50 EUR", "priceCurrency": "EUR"},
            "weight": ("2.1 kg", "900 g", "0.5 kg")[n % 3],
            "additionalProperty": [
                {"name": "Power", "value": 800 + n, "unitCode": "WTT"},
                {"name": "Washable", "value": f"https://schema.org/{n % 2 == 0}"},
                {"name": "Finish", "value": ("Matte black", "matte-black", "White")[n % 3]},
            ],
        }
        for n in range(12)
    ]
    path = tmp_path / "products.json"
    path.write_text(json.dumps(products), encoding="utf-8")
    bring("schema.org", path, tmp_path / "shop")
    ontology = read_ontology(tmp_path / "shop")
    units = {a.id: a.unit for a in ontology.attributes.values() if a.type == "Number"}
    assert units == {"price": "EUR", "weight": "kg", "Power": "W"}
    assert ontology.attributes["Washable"].type == "Boolean"
    assert len(ontology.attributes["Finish"].values) == 2
    assert [b.name() for b in ontology.brands.values()] == ["Hario"]


def test_a_plain_table_says_which_attribute_is_the_brand(tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text("Code,Title\ng,Grinders\n", encoding="utf-8")
    (tmp_path / "a.csv").write_text(
        "Key,Label,Allowed\nmaker,Maker,Hario|Fellow & Co\nsize,Size,S|M\n", encoding="utf-8"
    )
    (tmp_path / "l.csv").write_text("Category,Attribute\ng,maker\ng,size\n", encoding="utf-8")
    mapping = tmp_path / "m.yaml"
    mapping.write_text(
        "categories: {file: c.csv, id: Code, name.en: Title}\n"
        "attributes: {file: a.csv, id: Key, name.en: Label, values: Allowed, brand: maker}\n"
        "links: {file: l.csv, category: Category, attribute: Attribute}\n",
        encoding="utf-8",
    )
    bring("csv", mapping, tmp_path / "shop")
    ontology = read_ontology(tmp_path / "shop")
    assert sorted(b.name() for b in ontology.brands.values()) == ["Fellow & Co", "Hario"]
    assert set(ontology.applicable("g")) == {"brand", "size"}
    mapping.write_text(
        mapping.read_text(encoding="utf-8").replace("brand: maker", "brand: make"), encoding="utf-8"
    )
    with pytest.raises(InputError, match=r"no attribute make to be the brand.*maker"):
        bring("csv", mapping, tmp_path / "other")
