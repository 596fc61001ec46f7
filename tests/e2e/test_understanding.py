"""From a red run to its cause: `explain` and `report` on what naive did under a lost answer."""

from pathlib import Path

from tests.e2e.command import checkout_sim


def test_a_recorded_lost_answer_is_explained_by_the_rule_it_breaks(tmp_path: Path) -> None:
    ran = checkout_sim("run", "lost-response-silent", "--strategy", "naive", cwd=tmp_path)
    assert ran.code == 0, ran.err

    told = checkout_sim("explain", "latest", cwd=tmp_path, env={"COLUMNS": "100"})

    assert told.code == 0, told.err
    lines = told.out.splitlines()
    assert lines[1].endswith(", checkout 3")
    assert any("PAYMENT saw a timeout" in line and "X<═══" in line for line in lines)
    assert any("GATEWAY captured 42.00 usd" in line and "$" in line for line in lines)
    assert {line.split(":")[0] for line in lines if "on payment_to_gateway" in line} == {
        "1 █ hold",
        "2 █ swallow",
    }
    assert "  order     believes: failed" in lines
    assert "Breaks R3: a timeout is unknown, never a failure." in lines

    written = checkout_sim("report", "latest", "--html", "report.html", cwd=tmp_path)

    assert written.code == 0, written.err
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    lead = page.partition('id="runs"')[0]
    assert "Breaks R3: a timeout is unknown, never a failure." in lead
    assert "PAYMENT saw a timeout" in lead
    assert "The card is charged and the answer never comes back." in page  # the scenario, whole
    assert "checkout-sim run lost-response-silent --strategy naive --seed 1" in page
