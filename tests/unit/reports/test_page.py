import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from checkout_sim.archive.chapters import chapter_of
from checkout_sim.model.course import Attempt
from checkout_sim.reports.course_svg import MOST_POINTS, sample
from checkout_sim.reports.page import page
from tests.archived import a_tale, answered, archive, lifted, lost, swallowing

EVIL = '"><script>alert(1)</script>&amp;'
VOID = {"meta", "br", "link", "img", "hr", "input"}


class Outline(HTMLParser):
    """Every tag with its attributes, and whether each one opened was closed in its turn."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def a_run(
    root: Path, *, scenario: str = "lost-answer", wrong: int = 1, judged: bool = True
) -> Path:
    tale = a_tale(scenario=scenario)
    answered(tale, 1)
    for checkout in range(2, 2 + wrong):
        swallowing(tale, checkout)
        lost(tale, checkout)
        lifted(tale, checkout)
    answered(tale, 2 + wrong)
    return archive(tale, root, judged=judged)


def the_page(*folders: Path) -> str:
    return page([chapter_of(folder) for folder in folders])


def test_the_page_opens_on_the_first_violated_orders_ladder(tmp_path: Path) -> None:
    text = the_page(a_run(tmp_path))

    before_the_runs = text[: text.index('id="runs"')]
    assert "First violated order" in before_the_runs
    assert "Ladder of order ord_2" in before_the_runs
    assert "Breaks R3: a timeout is unknown, never a failure." in before_the_runs


def test_the_page_is_well_formed_and_its_links_lead_somewhere(tmp_path: Path) -> None:
    outline = Outline(the_page(a_run(tmp_path, wrong=3)))

    assert outline.open == []
    ids = [about["id"] for _, about in outline.tags if "id" in about]
    assert len(ids) == len(set(ids))
    links = [about["href"] for tag, about in outline.tags if tag == "a"]
    assert links
    assert {link.removeprefix("#") for link in links if link} <= set(ids)


def test_the_page_needs_no_network_and_runs_no_script(tmp_path: Path) -> None:
    text = the_page(a_run(tmp_path))

    assert not re.search(r"https?://|@import|\bsrc=|url\((?!#)", text)
    assert "<script" not in text
    assert "default-src 'none'" in text


def test_every_violated_order_is_there_in_full(tmp_path: Path) -> None:
    text = the_page(a_run(tmp_path, wrong=5))

    for checkout in range(2, 7):
        assert text.count(f'aria-label="Ladder of order ord_{checkout},') == 1


def test_orders_beyond_the_bound_are_named_with_their_claims(tmp_path: Path) -> None:
    chapter = chapter_of(a_run(tmp_path, wrong=5), most_orders=2)
    text = page([chapter])

    assert [one.ladder.order_id for one in chapter.orders] == ["ord_2", "ord_3"]
    assert "3 violated orders more, by name" in text
    assert re.search(r"<li>ord_6: [a-z_, ]*replies_are_true", text)


def test_what_comes_from_outside_is_escaped_wherever_it_stands(tmp_path: Path) -> None:
    tale = a_tale(scenario="evil")
    swallowing(tale)
    order = lost(tale, 1)
    order.log("payment.fenced", reason=EVIL)
    tale.see("fault.injected", fault=EVIL, source="runner", window=1, target=EVIL, type=EVIL)
    order.log("order.failed", reason=EVIL)
    folder = archive(tale, tmp_path)
    (folder / "scenario.lock").write_text(f"why: {EVIL}")

    text = the_page(folder)

    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert Outline(text).open == []


def test_the_matrix_says_of_each_run_how_it_stands_in_a_sign_and_in_words(tmp_path: Path) -> None:
    folders = [a_run(tmp_path, scenario="one"), a_run(tmp_path, scenario="two", wrong=0)]

    text = the_page(*folders)

    matrix = text.partition('class="matrix"')[2].partition("</table>")[0]
    assert matrix.count('<th scope="row">') == 2
    assert "✔ invalid (as expected)" in matrix
    assert "? unknown (expected invalid)" in matrix


def test_waiting_is_told_before_during_and_after_faults(tmp_path: Path) -> None:
    (chapter,) = [chapter_of(a_run(tmp_path))]

    assert chapter.course is not None
    told = {one.period: (one.count, one.p50_ms) for one in chapter.course.latencies}
    assert told == {"before": (1, 12.0), "during": (1, 420.0), "after": (1, 12.0)}


def test_a_run_without_violations_opens_on_an_order_under_a_fault(tmp_path: Path) -> None:
    tale = a_tale()
    swallowing(tale)
    answered(tale, 1)
    text = the_page(archive(tale, tmp_path))

    assert "An order under a fault" in text
    assert "First violated order" not in text


def test_an_unfinished_run_shows_what_there_is(tmp_path: Path) -> None:
    text = the_page(a_run(tmp_path, judged=False))

    assert "unfinished" in text
    assert "lost-answer" in text


def test_a_damaged_history_leaves_the_verdict_and_says_where(tmp_path: Path) -> None:
    folder = a_run(tmp_path)
    history = folder / "history.ndjson"
    history.write_bytes(history.read_bytes().replace(b'"kind":"client.sent"', b'"kind":"client.'))

    chapter = chapter_of(folder)
    text = page([chapter])

    assert "history.ndjson:" in chapter.problem
    assert "invalid (as expected)" in text


def test_a_scenario_that_changed_since_is_not_passed_off_as_the_one_that_ran(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("scenarios").mkdir()
    Path("scenarios/lost-answer.yaml").write_text("why: another story\n")
    tale = a_tale(digest="0" * 64)
    lost(tale, 1)
    folder = archive(tale, tmp_path)
    (folder / "scenario.lock").write_text("why: the story that ran\n")

    text = the_page(folder)

    assert "The scenario file has changed since" in text
    assert "the story that ran" in text
    assert "another story" not in text


def attempts(count: int, claim: str) -> list[Attempt]:
    return [
        Attempt(checkout=at, order=None, begin_ms=float(at), end_ms=at + 9.0, claim=claim)
        for at in range(count)
    ]


def test_of_many_attempts_a_bounded_sample_is_drawn_that_keeps_the_odd_ones() -> None:
    drawn = sample([*attempts(10_000, "confirmed"), *attempts(300, "failed")])

    assert len(drawn) == MOST_POINTS
    assert sum(one.claim == "failed" for one in drawn) == 300


def test_a_few_attempts_are_all_drawn() -> None:
    assert len(sample(attempts(40, "unknown"))) == 40
