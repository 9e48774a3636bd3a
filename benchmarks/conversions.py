"""From the files of a public data set, as published, to the files that the benchmarks read: one function a set.

Each function takes the contents of the published files by name, and returns the contents of the written files by
name; ``prepare.py`` reads and writes them.
"""

from __future__ import annotations

import gzip
import io
import json
import warnings
import zipfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import polars as pl
import yaml

from benchmarks.beauty_names import NamedItem, rows, unescaped
from kgrank.errors import InputError

Contents = Mapping[str, bytes]
"""Contents of files by name, without the folders they are in."""

CAMERA = ("canon", "sony", "nikon", "panasonic", "pixels", "zoom", "video", "swivel", "wifi")


def camera(files: Contents) -> Contents:
    """The list of respondents of bayesm's ``camera``, one row for each alternative of each task."""
    rows: list[list[object]] = []
    for respondent, answers in enumerate(_r_objects(files["camera.RData"])["camera"], start=1):
        design, chosen = answers["X"], answers["y"]
        names = [str(name) for name in design.coords["dim_1"].values]
        order = [names.index(name) for name in (*CAMERA, "price")]
        by_task = design.values[:, order].reshape(len(chosen), -1, len(order))
        for task, (alternatives, choice) in enumerate(zip(by_task, chosen, strict=True), start=1):
            for number, values in enumerate(alternatives, start=1):
                marks = [int(v) for v in values[:-1]]
                rows.append([respondent, task, number, int(number == choice), *marks, f"{values[-1]:g}"])
    columns = ["respondent", "task", "alt", "chosen", *CAMERA, "price"]
    return {"camera.csv": _csv(columns, rows)}


def bank(files: Contents) -> Contents:
    """The choices of bayesm's ``bank``."""
    return {"bank_choice.csv": _frame(_r_objects(files["bank.rda"])["bank"]["choiceAtt"])}


def pizza(files: Contents) -> Contents:
    """The data frame of echoice2's ``pizza``."""
    return {"pizza_volumetric.csv": _frame(_r_objects(files["pizza.rdata"])["pizza"])}


def yogurt(files: Contents) -> Contents:
    """The data frame of logitr's ``yogurt``."""
    return {"yogurt.csv": _frame(_r_objects(files["yogurt.rda"])["yogurt"])}


def cars(files: Contents) -> Contents:
    """logitr's two car studies, whose lines end as on old Macintoshes."""
    return {name: files[name].replace(b"\r", b"\n").rstrip(b"\n") + b"\n" for name in sorted(files)}


def ratings(files: Contents) -> Contents:
    """Ratings and profiles of tea and of chocolate from conjoint."""
    written = {}
    for product in ("tea", "chocolate"):
        objects = _r_objects(files[f"{product}.rda"])
        for part in ("prefm", "prof"):
            written[f"{product}_{product[0]}{part}.csv"] = _frame(objects[product[0] + part])
    return written


def scanner(files: Contents) -> Contents:
    """Ecdat's yogurt and crackers, one row for each brand of each purchase, and bayesm's margarine as it is."""
    margarine = _r_objects(files["margarine.rda"])["margarine"]["choicePrice"]
    return {
        "yogurt.csv": _purchases("yogurt", _r_objects(files["Yogurt.rda"])["Yogurt"]),
        "cracker.csv": _purchases("cracker", _r_objects(files["Cracker.rda"])["Cracker"]),
        "margarine_wide.csv": _frame(margarine.astype({"choice": int})),
    }


def beauty(files: Contents) -> Contents:
    """The sequences as they are, and items with the names that another publication has for them."""
    ids = {int(i): a for i, a in json.loads(files["Beauty_item2attributes.json"]).items()}
    brands, categories = _lines(files["brand.txt.gz"]), _lines(files["category.txt.gz"])
    named = [
        NamedItem(
            asin, brands[int(brand)] if brand else None, tuple(categories[int(c)] for c in path.split())
        )
        for asin, brand, path in zip(
            *(_lines(files[f"{table}.txt.gz"]) for table in ("product", "brand_p_b", "category_p_c")),
            strict=True,
        )
    ]
    times = Counter(int(i) for line in files["Beauty.txt"].split(b"\n") for i in line.split()[1:])
    columns = ["item_id", "asin_if_unique", "brand", "category_path", "attribute_ids", "n_interactions"]
    items = _csv(columns, rows(ids, named, times)).replace(b"\n", b"\r\n")
    return {"items.csv": items, "sequences.txt": files["Beauty.txt"]}


def cellphones(files: Contents) -> Contents:
    """Products with their names, and each pair of a person and a product of the training part once."""
    brands, categories = (
        [unescaped(name) for name in _lines(files[f"{kind}.txt.gz"])] for kind in ("brand", "category")
    )
    topics = _lines(files["query_text.txt.gz"])
    pairs, asked = set(), defaultdict(set)
    for part in ("train", "test"):
        for line in _lines(files[f"{part}.qrels.gz"]):
            query, _, product, _ = line.split()
            user, _, topic = query.rpartition("_")
            asked[product].add(int(topic))
            if part == "train":
                pairs.add((user, product))
    count = Counter(product for _, product in pairs)
    rows = []
    products, brand_of = _lines(files["product.txt.gz"]), _lines(files["brand_p_b.txt.gz"])
    for product, brand, path in zip(products, brand_of, _lines(files["category_p_c.txt.gz"]), strict=True):
        named = "|".join(brands[int(b)] for b in brand.split())
        placed = "|".join(categories[int(c)] for c in path.split())
        asked_for = "|".join(topics[t] for t in sorted(asked[product]))
        rows.append([product, named or None, placed, asked_for or None, count[product]])
    columns = ["asin", "brand", "categories", "query_topics", "n_train"]
    written = {"items.csv": _csv(columns, rows), "train.csv": _csv(["user_id", "asin"], sorted(pairs))}
    return {name: content.replace(b"\n", b"\r\n") for name, content in written.items()}


def grocery(files: Contents) -> Contents:
    """The tables as they are, packed."""
    return {f"{name.removesuffix('.csv')}.tsv.gz": _packed(files[name]) for name in sorted(files)}


def heterogeneous(files: Contents) -> Contents:
    """The tables with names of their columns."""
    ratings = files["user_item.dat"].replace(b"\t", b",")
    return {
        "item_brand.csv": b"item,brand\n" + files["item_brand.dat"],
        "item_category.csv": b"item,category\n" + files["item_category.dat"],
        "user_item.csv.gz": _packed(b"user,item,rating,timestamp\n" + ratings),
    }


def tafeng(files: Contents) -> Contents:
    """The table inside the zip file, all columns as text."""
    with zipfile.ZipFile(io.BytesIO(files["ta_feng.csv.zip"])) as archive:
        (name,) = [n for n in archive.namelist() if n.endswith(".csv") and not n.startswith("__MACOSX")]
        table = pl.read_csv(archive.read(name), infer_schema=False, null_values="")
    into = io.BytesIO()
    table.write_parquet(into)
    return {"ta_feng.parquet": into.getvalue()}


def taxonomy(files: Contents) -> Contents:
    """Categories with their full names, and attributes with the names of their values."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    values = {v["friendly_id"]: v["name"] for v in yaml.load(files["values.yml"], loader)}
    listed = yaml.load(files["attributes.yml"], loader)
    attributes = [
        {
            "friendly_id": a["friendly_id"],
            "name": a["name"],
            "kind": kind,
            "values_from": a.get("values_from"),
            "values": [values[v] for v in a.get("values", ())],
        }
        for kind in ("base", "extended")
        for a in listed[f"{kind}_attributes"]
    ]
    categories: list[Mapping[str, Any]] = []
    for name in sorted(set(files) - {"values.yml", "attributes.yml"}):
        categories += _categories(yaml.load(files[name], loader))
    return {"attributes.json": _json(attributes), "categories.json": _json(categories)}


CONVERSIONS: Mapping[str, Callable[[Contents], Contents]] = {
    "amazon_beauty": beauty,
    "amazon_cellphones": cellphones,
    "amazon_grocery_rechorus": grocery,
    "amazon_hin": heterogeneous,
    "choice_bank": bank,
    "choice_camera": camera,
    "choice_cars": cars,
    "choice_pizza": pizza,
    "choice_scanner": scanner,
    "choice_yogurt": yogurt,
    "conjoint_tea_chocolate": ratings,
    "shopify_taxonomy": taxonomy,
    "tafeng": tafeng,
}
"""What turns the published files of a set into the folder that the benchmarks read."""


def _r_objects(content: bytes) -> Mapping[str, Any]:
    """The objects of a file that R saved, by name."""
    try:
        import rdata
    except ImportError:
        raise InputError(
            "files of R need the package rdata", todo="Install it: pip install -e '.[bench]'"
        ) from None
    with warnings.catch_warnings():
        # Unknown classes of R (tbl_df) are data frames, and the texts are ASCII.
        warnings.simplefilter("ignore")
        objects = rdata.conversion.convert(rdata.parser.parse_data(content))
    return {str(name): value for name, value in objects.items()}


def _purchases(category: str, frame: Any) -> bytes:
    """One row for each brand of each purchase, from columns such as ``price.dannon``."""
    brands = [str(c).removeprefix("price.") for c in frame.columns if str(c).startswith("price.")]
    rows = []
    for number, purchase in enumerate(frame.to_dict("records"), start=1):
        for brand in brands:
            display, feature = (purchase.get(f"{sign}.{brand}") for sign in ("disp", "feat"))
            # Dollars of six digits times 100: what is beyond is noise of that product.
            price = round(purchase[f"price.{brand}"], 7)
            rows.append(
                [category, int(purchase["id"]), number, brand, int(purchase["choice"] == brand), price]
                + [None if mark is None else int(mark) for mark in (display, feature)]
            )
    return _csv(["category", "household", "obs", "brand", "chosen", "price", "display", "feature"], rows)


def _categories(listed: Sequence[Mapping[str, Any]]) -> Iterable[Mapping[str, Any]]:
    """The categories of one vertical, each after its parent."""
    parent = {child: c["id"] for c in listed for child in c["children"]}
    full: dict[str, str] = {}
    for c in listed:
        above = parent.get(c["id"])
        full[c["id"]] = c["name"] if above is None else f"{full[above]} > {c['name']}"
        yield {
            "id": c["id"],
            "vertical": c["id"].partition("-")[0],
            "name": c["name"],
            "parent": above,
            "full_name": full[c["id"]],
            "description": c.get("description", ""),
            "attributes": c["attributes"],
        }


def _frame(frame: Any) -> bytes:
    """A data frame as CSV, without the names of its rows."""
    return _csv([str(c) for c in frame.columns], frame.itertuples(index=False))


def _csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    table = pl.DataFrame(
        [list(row) for row in rows], schema=list(columns), orient="row", infer_schema_length=None
    )
    return table.write_csv().encode()


def _json(value: object) -> bytes:
    return json.dumps(value, indent=0, ensure_ascii=False).encode()


def _lines(packed: bytes) -> list[str]:
    """Lines of a packed text; a last one that is not ended counts, an empty rest does not."""
    return gzip.decompress(packed).decode().removesuffix("\n").split("\n")


def _packed(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)
