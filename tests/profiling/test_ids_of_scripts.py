"""Ids that ``kgrank init`` makes of heads and values in any script: readable, and the same in the next export."""

from __future__ import annotations

from pathlib import Path

import pytest

from kgrank.cli.main import main
from kgrank.ontology.check.folder import examine
from kgrank.ontology.read import read_ontology
from kgrank.profiling.folder import initialise
from kgrank.profiling.items.attribute_fields import slug


@pytest.mark.parametrize(
    ("text", "id_"),
    [
        ("价格", "价格"),
        ("Цена, руб.", "цена-руб"),
        ("Синий", "синий"),
        ("ガラス", "ガラス"),
        ("색상", "색상"),
        ("रंग हिन्दी", "रंग-हिन्दी"),
        ("מחיר", "מחיר"),
        ("السعر (2)", "السعر-2"),
        ("Τιμή", "τιμή"),
        ("颜色 Color", "颜色-color"),
        ("Größe (cm)", "grosse-cm"),
        ("Crème brûlée", "creme-brulee"),
        ("\uff33\uff29\uff3a\uff25", "size"),
        ("★ & ★", ""),
    ],
)
def test_an_id_keeps_the_letters_of_its_script(text: str, id_: str) -> None:
    assert slug(text) == id_


def products(folder: Path, heads: str, *before: str) -> Path:
    path = folder / "products.csv"
    values = [("красный", "стекло", 5), ("синий", "дерево", 7), ("белый", "стекло", 9)]
    rows = [
        ",".join([f"p{n}", f"Категория {n % 2}", *before, values[n % 3][0], values[n % 3][1], str(n + 5)])
        for n in range(12)
    ]
    path.write_text("\n".join([heads, *rows]) + "\n", encoding="utf-8")
    return path


def test_an_ontology_in_another_script_passes_the_check(tmp_path: Path) -> None:
    done = initialise([products(tmp_path, "id,category,Цвет,Материал,Ширина")], tmp_path / "out")
    assert not examine(done.folder / "ontology").errors
    ontology = read_ontology(done.folder / "ontology")
    assert {"цвет", "материал", "ширина"} <= set(ontology.attributes)
    assert set(ontology.attributes["цвет"].values) == {"цвет.красный", "цвет.синий", "цвет.белый"}
    assert set(ontology.categories) == {"категория-0", "категория-1"}
    assert "a:цвет" in (done.folder / "ontology" / "attributes.ttl").read_text(encoding="utf-8")


def test_ids_stay_when_a_column_is_added_before_them(tmp_path: Path) -> None:
    first = initialise([products(tmp_path, "id,category,Цвет,Материал,Ширина")], tmp_path / "one")
    later = products(tmp_path, "id,category,Новинка,Цвет,Материал,Ширина", "да")
    later.write_text(later.read_text(encoding="utf-8").replace("p1,Категория 1,да", "p1,Категория 1,нет"))
    second = initialise([later], tmp_path / "two")
    ids = [{a.id for a in done.plan.attributes} for done in (first, second)]
    assert ids[1] - ids[0] == {"новинка"}
    assert not ids[0] - ids[1]


def test_formatting_keeps_such_ids_as_short_names(tmp_path: Path) -> None:
    done = initialise([products(tmp_path, "id,category,Цвет,Материал,Ширина")], tmp_path / "out")
    folder = done.folder / "ontology"
    before = {p.name: p.read_text(encoding="utf-8") for p in folder.glob("*.ttl")}
    with pytest.raises(SystemExit) as stop:
        main(["ontology", "fmt", str(folder)])
    assert not stop.value.code
    assert {p.name: p.read_text(encoding="utf-8") for p in folder.glob("*.ttl")} == before


@pytest.mark.parametrize(
    ("notation", "passes"), [("价格", True), ("हिन्दी", True), ("价 格", False), ("价格！", False)]
)
def test_a_notation_has_letters_of_any_script(tmp_path: Path, notation: str, passes: bool) -> None:
    done = initialise([products(tmp_path, "id,category,Цвет,Материал,Ширина")], tmp_path / "out")
    path = done.folder / "ontology" / "attributes.ttl"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('skos:notation "цвет"', f'skos:notation "{notation}"'), encoding="utf-8")
    codes = {m.code for m in examine(done.folder / "ontology").messages}
    assert ("O109" not in codes) == passes
