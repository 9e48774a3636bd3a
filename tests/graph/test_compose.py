"""The compose file that users start Neo4j with."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml
from neo4j_server import VERSION

FILE = Path(__file__).parents[2] / "compose.yaml"


def test_the_compose_file_starts_a_neo4j_of_the_tested_version_with_its_data_kept() -> None:
    service = yaml.safe_load(FILE.read_text("utf-8"))["services"]["neo4j"]
    assert service["image"] == f"neo4j:{VERSION.rpartition('.')[0]}-community"
    assert "127.0.0.1:7687:7687" in service["ports"]
    assert service["volumes"] == ["neo4j:/data"]
    assert "RETURN 1" in service["healthcheck"]["test"][1]


def test_the_password_is_asked_for_and_never_in_the_file() -> None:
    authentication = yaml.safe_load(FILE.read_text("utf-8"))["services"]["neo4j"]["environment"]["NEO4J_AUTH"]
    assert authentication.startswith("neo4j/${NEO4J_PASSWORD:?")


def test_docker_accepts_the_compose_file() -> None:
    command = ["docker", "compose", "--file", str(FILE)]
    try:
        subprocess.run([*command, "version"], check=True, capture_output=True, timeout=30)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("docker compose is not installed; install it to check compose.yaml with it")
    done = subprocess.run(
        [*command, "config", "--quiet"],
        capture_output=True,
        text=True,
        timeout=30,
        env={"NEO4J_PASSWORD": "secret-enough"},
    )
    assert done.returncode == 0, done.stderr
