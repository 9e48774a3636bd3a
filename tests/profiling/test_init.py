"""``kgrank init``: from a shop's own files to the first audit, without a file written by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import shop_exports as exports

from kgrank.cli.main import main
from kgrank.errors import InputError
from kgrank.ingest.clean import Clean, ingest
from kgrank.ingest.mapping import read_mapping
from kgrank.ontology.check.folder import examine
from kgrank.ontology.model import AttributeType, Ontology
from kgrank.ontology.read import read_ontology
from kgrank.profiling.folder import Initialised, initialise
from kgrank.profiling.update import update


def run(*arguments: object) -> int:
    try:
        main([str(a) for a in arguments])
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


def reread(folder: Path, done: Initialised) -> Clean:
    """The files, read by what init wrote."""
    ontology, mapping = read_ontology(done.folder / "ontology"), read_mapping(done.folder / "mapping.yaml")
    return ingest(folder, ontology=ontology, mapping=mapping)


def attribute(ontology: Ontology, label: str) -> AttributeType:
    return next(a.type for a in ontology.attributes.values() if label in a.names.values())


def values(ontology: Ontology, label: str) -> set[str]:
    attribute = next(a for a in ontology.attributes.values() if label in a.names.values())
    return {ontology.values[v].name() for v in attribute.values}


@pytest.fixture
def messy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the messy shop's files, in which commands run."""
    exports.messy_shop(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


WRONG_RULE = (
    "In Bulbs, Light: Cold is liked more than Light: Warm. I am 90% sure, because cold light is modern.\n"
)


def test_from_the_files_to_an_audit_that_contradicts_a_wrong_rule(
    messy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("init", "items.csv", "log.jsonl.gz", "--out", "lamps") == 0
    assert run("ontology", "check", "lamps/ontology") == 0
    Path("rules.txt").write_text(WRONG_RULE, encoding="utf-8")
    assert run("ontology", "import", "lamps/ontology", "--rules", "rules.txt") == 0
    assert run("train", "--config", "lamps/run.yaml", "--people", "false", "--quiet") == 0
    capsys.readouterr()
    assert run("audit", "--store", "lamps/graph.lb", "--json") == 1
    findings = json.loads(capsys.readouterr().out)["findings"]
    assert [f["verdict"] for f in findings] == ["contradicted"]


def test_load_takes_files_ontology_and_store_from_the_run(
    messy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("init", "items.csv", "log.jsonl.gz", "--out", "lamps")
    capsys.readouterr()
    assert run("load", "--config", "lamps/run.yaml") == 0
    assert "In lamps/graph.lb: 2 categories" in capsys.readouterr().out


def test_a_brand_in_several_spellings_is_one(messy: Path) -> None:
    done = initialise([messy / "items.csv", messy / "log.jsonl.gz"], messy / "lamps")
    assert sorted(done.plan.brands.values()) == ["Halo & Söhne", "Kerze", "Lumo"]


def test_types_and_units_are_those_that_the_cells_have(messy: Path) -> None:
    done = initialise([messy / "items.csv", messy / "log.jsonl.gz"], messy / "lamps")
    ontology = read_ontology(done.folder / "ontology")
    units = {a.name(): a.unit for a in ontology.attributes.values() if a.type is AttributeType.NUMBER}
    assert units == {"Variant Price": "EUR", "Power (W)": "W", "Weight": "g"}
    assert attribute(ontology, "Dimmable") is AttributeType.BOOLEAN
    assert attribute(ontology, "Tags") is AttributeType.CHOICES
    assert values(ontology, "Tags") == {"sale", "new"}
    assert values(ontology, "Socket") == {"E27", "E14"}


def test_values_that_lack_only_the_attribute_s_name_are_one_and_others_are_proposed(messy: Path) -> None:
    done = initialise([messy / "items.csv", messy / "log.jsonl.gz"], messy / "lamps")
    ontology = read_ontology(done.folder / "ontology")
    assert values(ontology, "Light") == {"Warm", "Neutral", "Cold"}
    assert values(ontology, "Finish") == {"Steel", "Brushed steel", "White"}
    assert any("“Brushed steel”" in d.text and "may be" in d.text for d in done.page.doubts)


def test_kinds_of_events_that_are_none_are_left_out_and_counted(messy: Path) -> None:
    done = initialise([messy / "items.csv", messy / "log.jsonl.gz"], messy / "lamps")
    assert set(done.clean.events["kind"]) == {"impression", "view", "cart", "purchase"}
    assert any("newsletter_signup (9)" in d.text and d.count == 9 for d in done.page.doubts)


def test_the_most_doubtful_comes_first_in_text_and_html(messy: Path) -> None:
    done = initialise([messy / "items.csv", messy / "log.jsonl.gz"], messy / "lamps")
    weights = [d.weight for d in done.page.doubts]
    assert weights == sorted(weights, reverse=True)
    for name in ("assumptions.txt", "assumptions.html"):
        assert "newsletter_signup" in (done.folder / name).read_text(encoding="utf-8")


def test_the_page_shows_no_person(messy: Path) -> None:
    done = initialise([messy / "items.csv", messy / "log.jsonl.gz"], messy / "lamps")
    for name in ("assumptions.txt", "assumptions.html", "assumptions.json"):
        page = (done.folder / name).read_text(encoding="utf-8")
        assert "customer_id" in page
        assert "cust_" not in page


def test_an_existing_folder_is_refused_with_the_remedy(
    messy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("init", "items.csv", "--out", "lamps") == 0
    before = {p.name: p.read_bytes() for p in Path("lamps").iterdir() if p.is_file()}
    assert run("init", "items.csv", "--out", "lamps") == 2
    assert "kgrank init --update lamps" in capsys.readouterr().err
    assert before == {p.name: p.read_bytes() for p in Path("lamps").iterdir() if p.is_file()}


def test_the_folder_is_named_after_the_first_file_by_default(messy: Path) -> None:
    assert run("init", "log.jsonl.gz", "items.csv") == 0
    assert Path("log-shop/ontology/attributes.ttl").is_file()


def test_json_has_the_doubts_and_what_each_column_is(messy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("init", "items.csv", "log.jsonl.gz", "--out", "lamps", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    roles = {(c["file"], c["column"]): c["role"] for c in document["columns"]}
    assert roles["items.csv", "SKU"] == "id"
    assert roles["items.csv", "Status"] == "left out"
    assert roles["log.jsonl.gz", "slot"] == "position"
    assert document["doubts"][0]["remedy"]


@pytest.mark.parametrize("name", ["shopify", "woocommerce", "google_merchant", "magento"])
def test_exports_of_shop_systems_become_an_ontology_without_errors(name: str, tmp_path: Path) -> None:
    done = initialise([getattr(exports, name)(tmp_path)], tmp_path / "out")
    assert examine(done.folder / "ontology").messages == []
    clean = reread(tmp_path, done)
    assert len(clean.items) == 36
    assert sorted(done.plan.brands.values()) == sorted(exports.BRANDS)
    leaves = {c.name() for c in clean.ontology.categories.values()} - {"Sale", "New"}
    assert set(exports.KINDS) <= leaves


def test_the_rows_of_one_product_s_variants_are_one_item_with_all_its_sizes(tmp_path: Path) -> None:
    done = initialise([exports.shopify(tmp_path)], tmp_path / "out")
    clean = reread(tmp_path, done)
    sizes = clean.values.filter(clean.values["attribute"] == "size").group_by("item").len()
    assert set(sizes["len"]) == {2}


def test_variants_that_the_log_names_are_items_with_the_cells_of_their_product(tmp_path: Path) -> None:
    products = exports.shopify(tmp_path)
    log = [["2026-03-01T10:00:00Z", f"u{n % 5}", "purchase", f"P{1000 + n % 36}-M"] for n in range(60)]
    events = exports.write_csv(tmp_path / "orders.csv", ["time", "customer", "event", "sku"], log)
    clean = reread(tmp_path, initialise([products, events], tmp_path / "out"))
    assert len(clean.items) == 72
    assert clean.items["title"].null_count() == 0


def test_names_and_values_in_columns_of_their_own_become_attributes(tmp_path: Path) -> None:
    done = initialise([exports.woocommerce(tmp_path)], tmp_path / "out")
    ontology = read_ontology(done.folder / "ontology")
    assert attribute(ontology, "Color") is AttributeType.CHOICES
    assert attribute(ontology, "Size") is AttributeType.ORDERED
    assert attribute(ontology, "Organic") is AttributeType.BOOLEAN


@pytest.mark.parametrize(
    ("language", "encoding"),
    [
        *((language, encoding) for language in exports.WORDS for encoding in ("utf-8", "utf-16")),
        *((language, "cp1252") for language in ("de", "fr", "es")),
        ("zh", "gb18030"),
    ],
)
def test_shops_in_other_languages_and_encodings_are_read(
    language: str, encoding: str, tmp_path: Path
) -> None:
    done = initialise(exports.local_shop(tmp_path, language, encoding), tmp_path / "out")
    clean = reread(tmp_path, done)
    assert len(clean.items) == 36
    assert dict(clean.events["kind"].value_counts().iter_rows()).keys() == {
        "impression",
        "view",
        "cart",
        "purchase",
    }
    prices = clean.values.filter(clean.values["attribute"] == done.plan.attributes[0].id)["number"]
    assert prices.max() == pytest.approx(12 * max(p.price for p in exports.products()), abs=0.01)
    heads = str(exports.WORDS[language]["heads"]).split(";")
    assert {next(iter(a.names.values())) for a in done.plan.attributes} == {heads[2], *heads[4:9]}
    kinds = {next(iter(a.names.values())): a.type for a in done.plan.attributes}
    assert kinds[heads[8]] is AttributeType.BOOLEAN
    assert kinds[heads[6]] is AttributeType.ORDERED


def test_a_log_that_describes_its_products_is_enough(tmp_path: Path) -> None:
    done = initialise([exports.rees46(tmp_path)], tmp_path / "out")
    clean = reread(tmp_path, done)
    assert len(clean.events) == 215
    assert {c.name() for c in clean.ontology.categories.values()} == {
        "apparel",
        "tshirts",
        "jackets",
        "scarves",
    }


@pytest.mark.parametrize("log", ["ga4", "retailrocket"])
def test_the_id_is_the_one_that_the_log_uses(log: str, tmp_path: Path) -> None:
    done = initialise([exports.woocommerce(tmp_path), getattr(exports, log)(tmp_path)], tmp_path / "out")
    clean = reread(tmp_path, done)
    assert clean.report.counts == {}
    assert clean.items["id"].str.starts_with("P1").all()
    assert set(clean.events["kind"]) >= {"view", "cart", "purchase"}


def test_positions_from_0_begin_at_1(tmp_path: Path) -> None:
    done = initialise([exports.woocommerce(tmp_path), exports.ga4(tmp_path)], tmp_path / "out")
    assert done.clean.events["position"].min() == 1


def test_a_workbook_and_parquet_are_read_as_csv_is(tmp_path: Path) -> None:
    import polars as pl

    table = pl.read_csv(exports.google_merchant(tmp_path), separator="\t", infer_schema=False)
    counts = []
    table.write_parquet(tmp_path / "feed.parquet")
    table.write_ndjson(tmp_path / "feed.jsonl")
    for file in ("feed.tsv", "feed.parquet", "feed.jsonl"):
        done = initialise([tmp_path / file], tmp_path / f"out-{file}")
        counts.append((len(done.clean.items), len(done.clean.values), sorted(done.plan.brands.values())))
    assert len(set(map(str, counts))) == 1


def test_numbers_with_two_readings_are_read_by_the_shop_s_habit_and_doubted(tmp_path: Path) -> None:
    rows = [[f"A{n}", ("Tische", "Stühle")[n % 2], f"{n + 1}.{500 + n}", f"{n},5"] for n in range(12)]
    file = exports.write_csv(
        tmp_path / "moebel.csv", ["Artikelnummer", "Warengruppe", "Preis", "Gewicht"], rows, ";"
    )
    done = initialise([file], tmp_path / "out")
    prices = done.clean.values.filter(done.clean.values["attribute"] == "preis")["number"]
    assert prices.min() == 1500
    assert any("two ways" in d.text for d in done.page.doubts)


def test_a_table_without_ids_is_an_error_that_names_its_columns(tmp_path: Path) -> None:
    file = exports.write_csv(tmp_path / "x.csv", ["color", "size"], [["Red", "S"]] * 3 + [["Blue", "M"]] * 3)
    with pytest.raises(InputError, match="no column tells the products apart"):
        initialise([file], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_two_columns_of_categories_become_one_tree(tmp_path: Path) -> None:
    tree = {"Tische": "Wohnen", "Stühle": "Wohnen", "Regale": "Büro"}
    rows = [[n, tree[kind], kind, n * 1.5] for n in range(30) for kind in [list(tree)[n % 3]]]
    heads = ["Artikel-Nr.", "Hauptkategorie", "Unterkategorie", "Preis"]
    done = initialise([exports.write_csv(tmp_path / "a.csv", heads, rows, ";")], tmp_path / "out")
    categories = reread(tmp_path, done).ontology.categories
    parents = {c.name(): categories[c.parent].name() for c in categories.values() if c.parent}
    assert parents == tree


def test_the_day_and_the_time_of_day_may_be_in_two_columns(tmp_path: Path) -> None:
    log = [
        [e.time.strftime("%d.%m.%Y"), e.time.strftime("%H:%M"), e.user, e.kind, e.item]
        for e in exports.events(exports.products())
    ]
    heads = ["Datum", "Uhrzeit", "Kunde", "Ereignis", "Artikel"]
    files = [exports.google_merchant(tmp_path), exports.write_csv(tmp_path / "log.csv", heads, log, ";")]
    clean = reread(tmp_path, initialise(files, tmp_path / "out"))
    first = min(e.time for e in exports.events(exports.products()))
    assert clean.events["time"].min() == int(first.timestamp()) // 60 * 60


def test_a_log_of_ratings_is_one(tmp_path: Path) -> None:
    rows = [[f"u{n % 9}", f"P{1000 + n % 36}", 1 + n % 5, 1_770_000_000 + n * 500] for n in range(90)]
    reviews = exports.write_csv(
        tmp_path / "reviews.csv", ["user_id", "product_id", "rating", "timestamp"], rows
    )
    done = initialise([exports.google_merchant(tmp_path), reviews], tmp_path / "out")
    assert set(done.clean.events["kind"]) == {"rating"}


def test_what_changes_with_each_order_is_no_attribute_of_the_item(tmp_path: Path) -> None:
    rows = [
        [
            5000 + n,
            f"C{n % 20}",
            f"Lamp {n % 20}",
            1,
            f"2026-03-{1 + n % 28:02d} 10:00:00",
            5 + n % 20,
            17 + n % 7,
        ]
        for n in range(200)
    ]
    heads = ["InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID"]
    done = initialise([exports.write_csv(tmp_path / "orders.csv", heads, rows)], tmp_path / "out")
    assert [a.names for a in done.plan.attributes] == [{"en": "UnitPrice"}]
    assert done.clean.items["title"].null_count() == 0


def test_single_letters_are_no_order_unless_they_are_grades(tmp_path: Path) -> None:
    rows = [
        [n, ("Lamps", "Fans")[n // 2 % 2], "ABC"[n % 3], ("A+", "A", "B", "A++")[n % 4]] for n in range(24)
    ]
    file = exports.write_csv(tmp_path / "x.csv", ["sku", "category", "series", "energy"], rows)
    ontology = read_ontology(initialise([file], tmp_path / "out").folder / "ontology")
    assert attribute(ontology, "series") is AttributeType.CHOICE
    assert attribute(ontology, "energy") is AttributeType.ORDERED


def test_a_log_of_other_products_is_refused_with_examples(tmp_path: Path) -> None:
    log = [[f"2026-03-{1 + n % 28:02d} 10:00:00", f"u{n % 9}", "view", f"Z{n % 12}"] for n in range(60)]
    events = exports.write_csv(tmp_path / "log.csv", ["time", "user", "event", "item"], log)
    with pytest.raises(InputError, match=r"such as 'Z0', are not among the products.*such as 'P1000'"):
        initialise([exports.google_merchant(tmp_path), events], tmp_path / "out")


def test_columns_of_a_log_with_standard_names_are_not_read_by_accident(tmp_path: Path) -> None:
    log = [
        [e.time.isoformat(), e.user, e.kind, e.item, "landing page", "19.99 EUR"]
        for e in exports.events(exports.products())
    ]
    heads = ["time", "user", "event", "item", "category", "value"]
    files = [exports.google_merchant(tmp_path), exports.write_csv(tmp_path / "log.csv", heads, log)]
    clean = reread(tmp_path, initialise(files, tmp_path / "out"))
    assert clean.events["category"].null_count() == len(clean.events)
    assert clean.events["value"].null_count() == len(clean.events)


def test_an_edited_mapping_makes_a_new_folder(messy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("init", "items.csv", "log.jsonl.gz", "--out", "lamps")
    mapping = Path("lamps/mapping.yaml")
    text = mapping.read_text(encoding="utf-8").replace(
        "weight: Weight", "weight: {column: Weight, type: Choice}"
    )
    mapping.write_text(text, encoding="utf-8")
    assert run("init", ".", "--mapping", mapping, "--out", "lamps-2") == 0
    ontology = read_ontology(Path("lamps-2/ontology"))
    assert attribute(ontology, "Weight") is AttributeType.CHOICE
    assert attribute(ontology, "Variant Price") is AttributeType.NUMBER
    assert run("load", "--config", "lamps-2/run.yaml") == 0


def test_what_load_infers_of_standard_files_is_written_out(tmp_path: Path) -> None:
    data = tmp_path / "shop"
    data.mkdir()
    rows = [
        [f"i{n}", "Shoes|Boots" if n % 2 else "Shoes|Pumps", "Kumo", 10 + n, f"{n} cm"] for n in range(12)
    ]
    exports.write_csv(data / "items.csv", ["id", "category", "brand", "price", "Heel height"], rows)
    done = initialise([data], tmp_path / "out")
    clean = reread(data, done)
    assert {a.name() for a in clean.ontology.attributes.values()} == {"price", "Heel height", "Brand"}
    assert len(clean.values) == len(ingest(data).values)


def test_a_title_above_the_head_line_is_named(tmp_path: Path) -> None:
    rows = [["sku", "name", "category"], ["1", "Lamp", "A"], ["2", "Bulb", "B"]]
    file = exports.write_csv(tmp_path / "x.csv", ["Product export", "", ""], rows)
    with pytest.raises(InputError, match="Delete the lines above the head line"):
        initialise([file], tmp_path / "out")


def test_a_failure_leaves_no_folder(tmp_path: Path) -> None:
    rows = [[n, {0: "A", 3: "B"}.get(n, "")] for n in range(6)]
    file = exports.write_csv(tmp_path / "x.csv", ["sku", "category"], rows)
    with pytest.raises(InputError, match="no category"):
        initialise([file], tmp_path / "out")
    assert [p.name for p in tmp_path.iterdir()] == ["x.csv"]


@pytest.fixture
def edited(messy: Path) -> Path:
    """The messy shop's folder after init and edits of people, with a new export in the old one's place."""
    initialise([Path("items.csv"), Path("log.jsonl.gz")], Path("lamps"))
    attributes, mapping = Path("lamps/ontology/attributes.ttl"), Path("lamps/mapping.yaml")
    text = attributes.read_text(encoding="utf-8").replace('"Socket"@en', '"Lamp socket"@en')
    attributes.write_text(text.replace("a:light a", "# asked by Ana\na:light a"), encoding="utf-8")
    text = mapping.read_text(encoding="utf-8").replace("brand: Vendor", "brand: Vendor  # not the supplier")
    mapping.write_text(text, encoding="utf-8")
    lines = Path("items.csv").read_text(encoding="utf-8").splitlines()
    new = ["Warranty", *(("2 years", "5 years")[n % 3 // 2] for n in range(len(lines) - 1))]
    lines = [f"{line};{cell}" for line, cell in zip(lines, new, strict=True)]
    lines[3] = lines[3].replace("Kerze;", "Niche;")
    lines[4] = ";".join("Candle" if n == 8 else cell for n, cell in enumerate(lines[4].split(";")))
    Path("items.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return messy


def test_an_update_takes_up_what_is_new_and_keeps_what_people_wrote(edited: Path) -> None:
    done = update(Path("lamps"), [Path("items.csv")])
    assert (done.attributes, done.brands, dict(done.values)) == (
        ("Warranty",),
        ("Niche",),
        {"Light": ("Candle",)},
    )
    ontology = read_ontology(Path("lamps/ontology"))
    assert {"Lamp socket", "Warranty"} <= {a.name() for a in ontology.attributes.values()}
    assert "Candle" in values(ontology, "Light")
    assert "# asked by Ana" in Path("lamps/ontology/attributes.ttl").read_text(encoding="utf-8")
    assert "# not the supplier" in Path("lamps/mapping.yaml").read_text(encoding="utf-8")
    assert all("warranty" in ontology.applicable(c) for c in ontology.categories)


def test_an_update_touches_only_lines_about_what_is_new(edited: Path) -> None:
    files = [Path("lamps/mapping.yaml"), *Path("lamps/ontology").glob("*.ttl")]
    before = {p: set(p.read_text(encoding="utf-8").splitlines()) for p in files}
    update(Path("lamps"), [])
    gone = [line for p in files for line in before[p] - set(p.read_text(encoding="utf-8").splitlines())]
    assert all("kg:values" in line or line.endswith(" .") for line in gone)
    assert len(gone) <= 3


def test_a_second_update_finds_nothing_new(edited: Path, capsys: pytest.CaptureFixture[str]) -> None:
    update(Path("lamps"), [])
    assert run("init", "--update", "lamps") == 0
    assert capsys.readouterr().out == "Nothing is new.\n"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("out: out\n", "the configuration has no block data"),
        ("data: {store: shop.lb}\n", "the configuration does not say where the files are"),
        ("data: [folder\n", "is not YAML"),
    ],
)
def test_an_update_with_a_run_file_that_names_no_folder_is_one_error(
    edited: Path, capsys: pytest.CaptureFixture[str], text: str, problem: str
) -> None:
    Path("lamps/run.yaml").write_text(text, encoding="utf-8")
    assert run("init", "--update", "lamps") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert problem in line
    assert "lamps/run.yaml" in line


def test_an_update_refuses_a_file_that_the_mapping_does_not_name(messy: Path) -> None:
    initialise([Path("items.csv")], Path("lamps"))
    with pytest.raises(InputError, match="does not name this file"):
        update(Path("lamps"), [Path("log.jsonl.gz")])
