"""Small made-up files in the forms in which the public data sets are published."""

from __future__ import annotations

import gzip
import io
import json
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import rdata


def r_file(**objects: object) -> bytes:
    """Data frames, numbers and dictionaries of them as a file that R saved."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "objects.rda"
        rdata.write_rda(path, objects)
        return path.read_bytes()


def frame(**columns: Sequence[object]) -> pd.DataFrame:
    """A data frame of R, with its integers and its texts."""
    kinds = {int: np.int32, float: np.float64, str: object}
    return pd.DataFrame({name: pd.Series(v, dtype=kinds[type(v[0])]) for name, v in columns.items()})


def camera_file(people: Sequence[tuple[Sequence[int], Sequence[str], Sequence[Sequence[float]]]]) -> bytes:
    """bayesm's list of people, each with choices ``y`` and a matrix ``X`` with named columns, as text of R.

    rdata writes no matrices; the codes are those of R's serialization (R Internals, section 1.8).
    """
    lines: list[object] = ["RDA2", "A", 2, 197636, 131840, *_tag("camera"), 19, len(people)]
    for chosen, columns, rows in people:
        lines += [19 + 512, 2, 13, len(chosen), *chosen]
        lines += [14 + 512, len(rows) * len(columns), *(row[c] for c in range(len(columns)) for row in rows)]
        lines += [*_tag("dim"), 13, 2, len(rows), len(columns)]
        lines += [*_tag("dimnames"), 19, 2, 254, *_texts(columns), 254]
        lines += [*_tag("names"), *_texts(["y", "X"]), 254]
    return "\n".join(map(str, [*lines, 254])).encode() + b"\n"


def _tag(name: str) -> list[object]:
    return [1026, 1, 262153, len(name), name]


def _texts(texts: Iterable[str]) -> list[object]:
    return [16, len(list(texts)), *(part for text in texts for part in (262153, len(text), text))]


def packed(*lines: str) -> bytes:
    """Lines of a packed text."""
    return gzip.compress("".join(f"{line}\n" for line in lines).encode())


def zipped(name: str, content: bytes) -> bytes:
    """A zip file with one file."""
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w") as archive:
        archive.writestr(name, content)
    return into.getvalue()


COLUMNS = ("canon", "sony", "nikon", "panasonic", "pixels", "zoom", "video", "swivel", "wifi", "price")
CAMERAS = [
    [1, 0, 0, 0, 1, 0, 0, 0, 0, 0.79],
    [0, 1, 0, 0, 0, 1, 0, 0, 0, 1.29],
    [0, 0, 1, 0, 0, 0, 1, 0, 0, 1.79],
    [0, 0, 0, 1, 0, 0, 0, 1, 1, 2.29],
    [0.0] * 10,
]


def cameras() -> Mapping[str, bytes]:
    """Two people with eight choices each, by dice."""
    dice = np.random.default_rng(0)
    tasks = [[*dice.permuted(np.array(CAMERAS[:4]), axis=0).tolist(), CAMERAS[4]] for _ in range(16)]
    for task in tasks:
        # Each brand column is permuted with the others; one brand a camera is put back.
        for n, row in enumerate(task[:4]):
            row[:4] = [float(n == k) for k in range(4)]
    people = [(dice.integers(1, 6, 8).tolist(), COLUMNS, [*chain(*tasks[p * 8 : p * 8 + 8])]) for p in (0, 1)]
    return {"camera.RData": camera_file(people)}


def scanner() -> Mapping[str, bytes]:
    """Two purchases of yogurt, two of crackers, one of margarine."""
    yogurt: dict[str, Any] = {"id": [1.0, 1.0]}
    cracker: dict[str, Any] = {"id": [7.0, 7.0]}
    for brand, price in (("yoplait", 10.8), ("dannon", 10.299999999999999)):
        yogurt |= {f"feat.{brand}": [0.0, 1.0], f"price.{brand}": [price, 8.1]}
        cracker |= {f"disp.{brand}": [1.0, 0.0], f"feat.{brand}": [0.0, 1.0], f"price.{brand}": [98.0, price]}
    choice = {"choice": ["dannon", "yoplait"]}
    sticks = [f"P{brand}_Stk" for brand in ("Pk", "BB", "Fl", "Hse", "Gen", "Imp")]
    sold = [*sticks, *(f"P{brand}_Tub" for brand in ("SS", "Pk", "Fl", "Hse"))]
    margarine = {"hhid": [21], "choice": [1.0], **{name: [0.66] for name in sold}}
    return {
        "Yogurt.rda": r_file(Yogurt=frame(**yogurt, **choice)),
        "Cracker.rda": r_file(Cracker=frame(**cracker, **choice)),
        "margarine.rda": r_file(margarine={"choicePrice": frame(**margarine)}),
    }


def pizzas() -> Mapping[str, bytes]:
    """Two people with three tasks of two pizzas; in one task nobody takes any."""
    return {
        "pizza.rdata": r_file(
            pizza=frame(
                id=[1] * 6 + [2] * 6,
                task=[1, 1, 2, 2, 3, 3] * 2,
                alt=[1, 2] * 6,
                x=[1.0, 0.0, 0.0, 2.0, 0.0, 0.0, 1.0, 1.0, 3.0, 0.0, 0.0, 1.0],
                p=[4.5, 3.0, 2.0, 2.5, 4.0, 4.5, 3.0, 3.5, 1.0, 4.0, 2.0, 2.25],
                brand=["Tony", "DiGi", "DiGi", "Tony"] * 3,
                size=["forOne", "ForTwo", "ForTwo"] * 4,
                crust=["Thin", "TrCr", "TrCr", "Thin"] * 3,
                topping=["Veg", "HI", "Veg"] * 4,
                coverage=["densetop", "ModCover"] * 6,
                cheese=["realcheese", "NoInfo", "NoInfo", "NoInfo"] * 3,
            )
        )
    }


def beauty() -> Mapping[str, bytes]:
    """Twelve items: ids with attributes in one publication, names of the same in the other, in another order."""
    ids = {n: [1, 2] if n <= 6 else [3, 2] for n in range(1, 13)} | {12: [3, 2, 2]}
    ids[1] = [2]
    named = [*["1"] * 5, "", *["0"] * 6]
    paths = ["0 1"] * 12
    return {
        "Beauty.txt": b"1 1 2 3\n2 2 12\n",
        "Beauty_item2attributes.json": json.dumps(ids).encode(),
        "brand.txt.gz": packed("Nine &amp; Co", "Seven&amp;reg;"),
        "category.txt.gz": packed("Beauty", "Nails"),
        "product.txt.gz": packed(*(f"A{n}" for n in range(12))),
        "brand_p_b.txt.gz": packed(*named),
        "category_p_c.txt.gz": packed(*paths),
    }


def cellphones() -> Mapping[str, bytes]:
    """Two products, the second without a brand; a pair that occurs twice, and one of the test part."""
    return {
        "brand.txt.gz": packed("Sam &amp;amp; Son"),
        "category.txt.gz": packed("Phones", "Cases"),
        "product.txt.gz": packed("P1", "P2"),
        "brand_p_b.txt.gz": packed("0", ""),
        "category_p_c.txt.gz": packed("0 1", "0"),
        "query_text.txt.gz": packed("a case", "a phone"),
        "train.qrels.gz": packed("U_2_0 0 P1 1 ", "U_2_1 0 P1 1 ", "A_1 0 P1 1 "),
        "test.qrels.gz": packed("A_1 0 P2 1 "),
    }


def taxonomy() -> Mapping[str, bytes]:
    """Two categories, one within the other, with a base and an extended attribute."""
    return {
        "values.yml": b"- {id: 1, name: Black, friendly_id: color__black, handle: c}\n",
        "attributes.yml": (
            b"base_attributes:\n- {id: 1, name: Color, friendly_id: color, handle: c, values: [color__black]}\n"
            b"extended_attributes:\n- {name: Hue, friendly_id: hue, handle: h, values_from: color}\n"
        ),
        "aa_apparel.yml": (
            b"- {id: aa, name: Apparel, description: Worn., children: [aa-1], attributes: []}\n"
            b"- {id: aa-1, name: Coats, children: [], attributes: [color, hue]}\n"
        ),
    }


def bank() -> Mapping[str, bytes]:
    """Two pairs of cards."""
    return {"bank.rda": r_file(bank={"choiceAtt": frame(id=[1, 1], choice=[1, 0], Med_Fee=[0, -1])})}


def yogurt() -> Mapping[str, bytes]:
    """One purchase of two brands."""
    columns = {
        "id": [1.0, 1.0],
        "obsID": [1, 1],
        "alt": [1, 2],
        "choice": [0.0, 1.0],
        "price": [8.1, 6.1000001],
    }
    return {"yogurt.rda": r_file(yogurt=frame(**columns, feat=[0.0, 0.0], brand=["dannon", "hiland"]))}


def ratings() -> Mapping[str, bytes]:
    """One person's ratings of two profiles of each product."""
    rated = {"prefm": frame(profile1=[8], profile2=[1]), "prof": frame(price=[3, 1])}
    return {
        f"{product}.rda": r_file(**{product[0] + part: table for part, table in rated.items()})
        for product in ("tea", "chocolate")
    }


def cars() -> Mapping[str, bytes]:
    """Lines that end as on old Macintoshes, the last one without an end."""
    return {f"cars_{country}.csv": b"id,choice\r1,0\r1,1" for country in ("us", "china")}


def grocery() -> Mapping[str, bytes]:
    """One item and one purchase."""
    return {
        "item_meta.csv": b"item_id\ti_category\n1\t0\n",
        "train.csv": b"user_id\titem_id\ttime\n7\t1\t965779200\n",
    }


def heterogeneous() -> Mapping[str, bytes]:
    """One item and one rating."""
    tables = {"item_brand.dat": b"0,4\n", "item_category.dat": b"0,2\n"}
    return {**tables, "user_item.dat": b"7\t0\t5\t1386201600\n"}


def tafeng() -> Mapping[str, bytes]:
    """Two purchases, all cells in quotes, one of them empty."""
    table = b'"CUSTOMER_ID","AGE_GROUP","AMOUNT"\n"007","25-29","2"\n"008","","1"\n'
    return {"ta_feng.csv.zip": zipped("ta_feng.csv", table)}


PUBLISHED: Mapping[str, Callable[[], Mapping[str, bytes]]] = {
    "amazon_beauty": beauty,
    "amazon_cellphones": cellphones,
    "amazon_grocery_rechorus": grocery,
    "amazon_hin": heterogeneous,
    "choice_bank": bank,
    "choice_camera": cameras,
    "choice_cars": cars,
    "choice_pizza": pizzas,
    "choice_scanner": scanner,
    "choice_yogurt": yogurt,
    "conjoint_tea_chocolate": ratings,
    "shopify_taxonomy": taxonomy,
    "tafeng": tafeng,
}
"""The published files of each set, by name."""
