"""The page on file schemas is the code's."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

from kgrank.ingest import mapping
from kgrank.ingest.describe import file_schemas

PAGE = Path(__file__).parents[2] / "docs" / "file-schemas.md"


def test_the_page_on_file_schemas_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == file_schemas(), (
        "write it again: python -m kgrank.ingest.describe > docs/file-schemas.md"
    )


def test_the_page_explains_every_key_of_a_mapping() -> None:
    kinds = (mapping.Items, mapping.Events, mapping.Tasks, mapping.Ratings, mapping.AttributeField)
    page = file_schemas()
    for kind in kinds:
        for field in fields(kind):
            assert f"| `{field.name}` |" in page


def test_the_pages_example_is_a_mapping(tmp_path: Path) -> None:
    path = tmp_path / "example.yaml"
    path.write_text(file_schemas().split("```yaml\n")[1].split("```")[0])
    assert mapping.read_mapping(path).tasks[0].outside.rows == {"alt": ("5",)}
