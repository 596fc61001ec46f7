import os
import socket
from pathlib import Path

import pytest

from checkout_sim.cli.boundary import guarded
from checkout_sim.cli.doctor import (
    Finding,
    Level,
    fixed_port,
    packages,
    python_version,
    writable,
)


def test_a_port_that_is_held_names_its_holder() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        finding = fixed_port(server.getsockname()[1], "order")

    assert finding.level is Level.WARN
    assert f"(pid {os.getpid()})" in finding.found
    assert "`run` takes free ports" in finding.action


def test_a_port_that_is_free_is_ok() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

    assert fixed_port(port, "order").level is Level.OK


def test_a_missing_package_fails_and_says_what_to_do() -> None:
    finding = packages(["rich", "no-such-package-anywhere"])

    assert finding.level is Level.FAIL
    assert "no-such-package-anywhere" in finding.found
    assert finding.action


def test_an_old_python_fails() -> None:
    assert python_version((3, 10, 4)).level is Level.FAIL
    assert python_version((3, 12, 0)).level is Level.OK


def test_a_folder_still_to_be_made_is_judged_by_where_it_would_be(tmp_path: Path) -> None:
    finding = writable("runs folder", tmp_path / "new" / "runs", "choose another")

    assert finding.level is Level.OK
    assert not (tmp_path / "new").exists()


def test_a_folder_that_is_a_file_fails(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    assert writable("runs folder", tmp_path / "file", "choose another").level is Level.FAIL


def test_a_line_begins_with_its_level_and_ends_with_the_next_action() -> None:
    finding = Finding(level=Level.WARN, what="port 3000", found="held", action="free it")

    assert str(finding).splitlines()[0].split() == ["warn", "port", "3000", "held"]
    assert str(finding).endswith("→ free it")


def test_doctor_looks_at_everything_and_starts_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert guarded(["doctor"]) == 0

    out = capsys.readouterr().out
    for looked_at in ("Python", "packages", "Toxiproxy", "port 3000", "port 8474", "open files"):
        assert looked_at in out
    assert list(tmp_path.iterdir()) == []
