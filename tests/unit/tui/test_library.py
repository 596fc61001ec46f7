"""The library of scenarios: sound files beside broken ones, each in its place."""

from pathlib import Path

import pytest

from checkout_sim.board.scenario_rows import Entry
from checkout_sim.tui.library import Library, read_entry

SOUND = "version: 1\nname: calm\nwhy: Nothing breaks.\nexpect: {naive: valid}\n"


def read_library(folders: list[Path]) -> tuple[Entry, ...]:
    return list(Library().entries(folders))[-1]


def test_every_shipped_scenario_is_sound(pytestconfig: pytest.Config) -> None:
    entries = read_library([pytestconfig.rootpath / "scenarios"])

    assert entries
    assert [(entry.stem, entry.errors) for entry in entries if entry.scenario is None] == []


def test_a_broken_file_keeps_its_place_and_says_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "01-calm.yaml").write_text(SOUND)
    (tmp_path / "02-torn.yaml").write_text("version: 1\nname: [\n")
    (tmp_path / "03-binary.yaml").write_bytes(b"\xff\xfe")
    (tmp_path / "04-empty.yaml").write_text("")
    (tmp_path / "05-folder.yaml").mkdir()

    entries = read_library([tmp_path])

    assert [entry.stem for entry in entries if entry.scenario] == ["01-calm"]
    broken = [entry for entry in entries if not entry.scenario]
    assert len(broken) == 4
    assert all(entry.errors[0].message for entry in broken)


def test_a_folder_that_is_not_there_offers_nothing(tmp_path: Path) -> None:
    assert read_library([tmp_path / "nowhere"]) == ()


def test_a_file_reached_by_two_folders_is_listed_once(tmp_path: Path) -> None:
    (tmp_path / "01-calm.yaml").write_text(SOUND)

    entries = read_library([tmp_path, tmp_path / ".." / tmp_path.name])

    assert [entry.stem for entry in entries] == ["01-calm"]


def test_a_file_is_read_again_after_it_was_edited(tmp_path: Path) -> None:
    path = tmp_path / "01-calm.yaml"
    path.write_text("version: 2\n")
    assert read_entry(path).scenario is None

    path.write_text(SOUND)

    assert read_entry(path).strategies == ("naive",)


def test_a_file_that_has_gone_says_so(tmp_path: Path) -> None:
    entry = read_entry(tmp_path / "gone.yaml")

    assert entry.scenario is None
    assert "cannot be read" in entry.errors[0].message


def test_names_come_at_once_and_contents_as_they_are_read(tmp_path: Path) -> None:
    for number in range(6):
        (tmp_path / f"0{number}-calm.yaml").write_text(SOUND)

    pending = [
        sum(1 for entry in entries if entry.pending) for entries in Library().entries([tmp_path])
    ]

    assert pending == [6, 2, 0]


def test_what_has_not_changed_is_not_read_again(tmp_path: Path) -> None:
    path = tmp_path / "01-calm.yaml"
    path.write_text(SOUND)
    library = Library()
    first = list(library.entries([tmp_path]))[-1]

    again = list(library.entries([tmp_path]))
    path.write_text(SOUND.replace("naive", "hardened"))
    edited = list(library.entries([tmp_path]))

    assert len(again) == 1
    assert again[0][0] is first[0]
    assert [entries[0].pending for entries in edited] == [True, False]
    assert edited[-1][0].strategies == ("hardened",)
