from pathlib import Path

import pytest

from checkout_sim.cli.boundary import guarded
from tests.archived import a_tale, answered, archive, lifted, lost, swallowing


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    for name in ("FORCE_COLOR", "CHECKOUT_SIM_RUNS_DIR"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def folder() -> Path:
    tale = a_tale()
    answered(tale, 1)
    swallowing(tale)
    lost(tale, 2)
    lost(tale, 13)
    lifted(tale)
    return archive(tale, Path(".checkout-sim"))


@pytest.mark.usefixtures("folder")
def test_explain_alone_tells_of_the_latest_runs_first_violated_order(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert guarded(["explain"]) == 0

    out = capsys.readouterr().out
    assert "order ord_2, checkout 2" in out
    assert "Breaks R3: a timeout is unknown, never a failure." in out
    assert "1 more order has violations; name one to see its ladder" in out


@pytest.mark.parametrize("name", ["ord_13", "13", "#13"])
def test_explain_takes_an_order_or_a_checkout(
    folder: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert guarded(["explain", str(folder), name]) == 0

    assert "order ord_13, checkout 13" in capsys.readouterr().out


def test_explain_tells_a_sound_order_too(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert guarded(["explain", str(folder), "1"]) == 0

    assert "No rule is seen broken." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("nobody", 'is called "nobody"; name an order id'),
        ("ord_", '"ord_" begins 3 orders'),
        ("77", 'is called "77"'),
    ],
)
def test_an_order_that_is_not_there_or_not_one_is_wrong_usage(
    folder: Path, name: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert guarded(["explain", str(folder), name]) == 2

    assert told in " ".join(capsys.readouterr().err.split())


def test_a_run_without_a_verdict_is_drawn_all_the_same(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "verdict.json").unlink()

    assert guarded(["explain", str(folder)]) == 0

    out, err = capsys.readouterr()
    assert "order ord_2" in out
    assert "has no verdict" in err


def test_a_report_is_written_whole_and_said_to_be(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert guarded(["report", "latest", str(folder.resolve()), "--html", "out.html"]) == 0

    assert Path("out.html").read_text(encoding="utf-8").rstrip().endswith("</html>")
    assert "wrote out.html" in capsys.readouterr().err
    assert list(Path().glob(".*part")) == []


@pytest.mark.usefixtures("folder")
def test_a_report_that_cannot_be_written_is_wrong_usage(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert guarded(["report", "latest", "--html", "no/such/folder/out.html"]) == 2

    assert "cannot be written" in " ".join(capsys.readouterr().err.split())


def test_a_damaged_history_is_complained_of_and_the_rest_shown(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    history = folder / "history.ndjson"
    history.write_bytes(b'{"kind":"fault.injected"\n' + history.read_bytes())

    assert guarded(["report", "latest", "--html", "out.html"]) == 0

    assert "history.ndjson:1" in capsys.readouterr().err
    assert "lost-answer" in Path("out.html").read_text(encoding="utf-8")
