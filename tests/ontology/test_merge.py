"""The merge: what two people change apart comes together, what they change alike is a conflict."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kgrank.cli.main import app
from kgrank.errors import InputError
from kgrank.ontology.merge import merge_texts
from kgrank.ontology.triples import comparable_triples
from kgrank.resources import folder

RULES = (folder("ontology") / "fashion" / "rules.ttl").read_text(encoding="utf-8")
CATEGORIES = (folder("ontology") / "fashion" / "categories.ttl").read_text(encoding="utf-8")


def changed(text: str, *edits: tuple[str, str]) -> str:
    for old, new in edits:
        assert old in text
        text = text.replace(old, new, 1)
    return text


def test_edits_of_two_blocks_come_together_line_by_line() -> None:
    ours = changed(RULES, ("kg:share 0.2 ;", "kg:share 0.25 ;"))
    theirs = changed(RULES, ("kg:within 0.1", "kg:within 0.05"))
    both = changed(ours, ("kg:within 0.1", "kg:within 0.05"))
    merged = merge_texts(RULES, ours, theirs)
    assert merged.conflicts == ()
    assert comparable_triples([merged.text]) == comparable_triples([both])


def test_two_words_of_one_thing_and_two_members_of_one_set_come_together() -> None:
    ours = changed(
        CATEGORIES,
        ('"Shoes"@en', '"Footwear"@en'),
        ("kg:recommends a:heel", "kg:recommends a:heel , a:care2"),
    )
    theirs = changed(CATEGORIES, ('"鞋"@zh', '"鞋履"@zh'), ("kg:recommends a:heel", "kg:recommends a:sole"))
    merged = merge_texts(CATEGORIES, ours, theirs)
    assert merged.conflicts == ()
    assert 'skos:prefLabel "Footwear"@en , "鞋履"@zh ;' in merged.text
    assert "kg:recommends a:care2 , a:sole ;" in merged.text


def test_added_and_removed_things_and_their_prefix_come_in() -> None:
    new = "\n@prefix x: <http://x/> .\n# from theirs\nx:new a kg:Category .\n"
    theirs = changed(CATEGORIES, ("c:pumps a kg:Category ;", "c:court a kg:Category ;")) + new
    merged = merge_texts(CATEGORIES, CATEGORIES, theirs)
    assert merged.conflicts == ()
    assert comparable_triples([merged.text]) == comparable_triples([theirs])
    assert "# from theirs\nx:new a kg:Category ." in merged.text


def test_the_same_word_changed_twice_is_a_conflict_with_marks_around_the_block() -> None:
    ours = changed(RULES, ("kg:share 0.2 ;", "kg:share 0.25 ;"))
    theirs = changed(RULES, ("kg:share 0.2 ;", "kg:share 0.3 ;"))
    merged = merge_texts(RULES, ours, theirs)
    assert merged.conflicts == ("r:sneaker-price: kg:share",)
    inside = merged.text.split("<<<<<<< ours\n")[1].split(">>>>>>> theirs")[0]
    mine, other = inside.split("=======\n")
    assert "kg:share 0.25" in mine
    assert "kg:share 0.3" in other
    assert merged.text.startswith(RULES.split("r:sneaker-price")[0])


def test_one_side_takes_out_what_the_other_changes() -> None:
    ours = changed(RULES, ("kg:share 0.2 ;", "kg:share 0.25 ;"))
    start = RULES.index("r:sneaker-price")
    theirs = RULES[:start] + RULES[RULES.index("r:sneaker-order") :]
    assert merge_texts(RULES, RULES, theirs).text == theirs
    conflict = "r:sneaker-price: taken out by one side and changed by the other"
    assert merge_texts(RULES, ours, theirs).conflicts == (conflict,)
    assert merge_texts(RULES, theirs, ours).conflicts == (conflict,)


def test_a_comment_of_the_other_side_comes_along() -> None:
    theirs = changed(RULES, ("r:sneaker-price a", "# ask Mei\nr:sneaker-price a"))
    merged = merge_texts(RULES, changed(RULES, ("kg:within 0.1", "kg:within 0.2")), theirs)
    assert "# ask Mei\nr:sneaker-price a" in merged.text


def test_a_short_name_with_two_meanings_and_broken_turtle_are_refused() -> None:
    theirs = RULES.replace("https://shop.example/id/rule/", "https://other.example/")
    with pytest.raises(InputError, match="short name r:"):
        merge_texts(RULES, RULES, theirs)
    with pytest.raises(InputError, match="theirs"):
        merge_texts(RULES, RULES, RULES + "r:x a")


def test_git_uses_it_as_a_merge_driver(tmp_path: Path) -> None:
    import sys

    def git(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        config = ["-c", "user.name=t", "-c", "user.email=t@t.example"]
        return subprocess.run(
            ["git", *config, *arguments], cwd=tmp_path, check=check, capture_output=True, text=True
        )

    git("init", "-q", "-b", "main")
    program = f'"{sys.executable}" -c "from kgrank.cli.main import main; main()"'
    git("config", "merge.kgrank.driver", f"{program} ontology merge %O %A %B")
    (tmp_path / ".gitattributes").write_text("*.ttl merge=kgrank\n", encoding="utf-8")
    path = tmp_path / "rules.ttl"
    for branch, text in (("", RULES), ("theirs", changed(RULES, ("kg:share 0.2 ;", "kg:share 0.3 ;")))):
        if branch:
            git("checkout", "-q", "-b", branch)
        path.write_text(text, encoding="utf-8")
        git("add", "-A")
        git("commit", "-q", "-m", "x")
    git("checkout", "-q", "main")
    # The next line of the same block: git's own merge would not put these together.
    old, new = "kg:share 0.2 ;\n    kg:sure 0.8", "kg:share 0.2 ;\n    kg:sure 0.7"
    path.write_text(changed(RULES, (old, new)), encoding="utf-8")
    git("commit", "-q", "-a", "-m", "y")
    merged = git("merge", "theirs", "-m", "z", check=False)
    assert merged.returncode == 0, merged.stdout + merged.stderr
    now = path.read_text(encoding="utf-8")
    assert "kg:share 0.3" in now
    assert "kg:sure 0.7" in now


def test_the_command_writes_ours_and_exits_with_1_on_a_conflict(tmp_path: Path) -> None:
    paths = [tmp_path / n for n in ("base.ttl", "ours.ttl", "theirs.ttl")]
    texts = (
        RULES,
        changed(RULES, ("kg:share 0.2 ;", "kg:share 0.25 ;")),
        changed(RULES, ("kg:share 0.2 ;", "kg:share 0.3 ;")),
    )
    for path, text in zip(paths, texts, strict=True):
        path.write_text(text, encoding="utf-8")
    result = CliRunner().invoke(app, ["ontology", "merge", *map(str, paths)])
    assert result.exit_code == 1
    assert "conflict in r:sneaker-price: kg:share" in result.output
    assert "<<<<<<< ours" in paths[1].read_text(encoding="utf-8")
