"""Every error says where, what was found and what to write instead."""

from pathlib import Path

import pytest

from checkout_sim.scenario_files.load import load_scenarios
from tests.unit.scenario_files.stories import HEAD, LINKS, complaints, refusal, told, written


def fault(text: str) -> str:
    """Return a body with one fault."""
    return f"faults:\n  - {text}\n"


def mistakes() -> list[object]:
    """Return the stories of mistakes.txt: a body with § at the mistake, and what is said of it."""
    text = Path(__file__).with_name("mistakes.txt").read_text(encoding="utf-8")
    pairs = [block.strip().split("\n=> ") for block in text.split("\n\n")]
    return [pytest.param(body, said, id=said[:60]) for body, said in pairs]


@pytest.mark.parametrize(("body", "said"), mistakes())
def test_one_mistake_is_one_sentence_at_its_place(tmp_path: Path, body: str, said: str) -> None:
    head = HEAD if "expect:" not in body else HEAD.replace("expect: {naive: valid}\n", "")
    before, _, after = (head + body).partition("§")
    place = f"{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}"

    assert [f"{place}: {said}"] == told(written(tmp_path, before + after))


def test_a_fault_that_cannot_reach_a_strategy_is_an_error_of_the_expectation(
    tmp_path: Path,
) -> None:
    text = HEAD + "faults: [{name: a, link: other_link, down: true}]\n"
    path = written(tmp_path, text)
    _, problems = load_scenarios([path], links=(*LINKS, "other_link"))

    said = (
        f'{path}:4:10: expect.naive: fault "a" needs other_link; naive has only '
        "shopper_to_order, order_to_payment, payment_to_gateway"
    )
    assert [said] == [str(problem) for problem in problems]


def test_the_name_is_the_file_name_without_its_number(tmp_path: Path) -> None:
    path = written(tmp_path, HEAD, name="12-other.yaml")
    expected = '2:7: name: "story" is not the file name without its number; write "other"'
    assert [expected] == told(path)


def test_a_name_does_not_repeat_what_makes_pytest_collect_its_file(tmp_path: Path) -> None:
    assert told(written(tmp_path, HEAD, name="12-story.scenario.yaml")) == []


def test_all_problems_of_all_files_come_at_once(tmp_path: Path) -> None:
    first = written(tmp_path, HEAD + "seed: x\nshoppers: [{checkouts: 99}]\n", name="1-story.yaml")
    second = written(tmp_path, "version: 2\n", name="2-story.yaml")
    sound = written(tmp_path, HEAD, name="3-story.yaml")

    scenarios, problems = load_scenarios([first, second, sound], links=LINKS)

    assert [scenario.name for scenario in scenarios] == ["story"]
    assert [(first, 5), (first, 6), (second, 1), (second, 1), (second, 1), (second, 1)] == [
        (Path(problem.path), problem.line) for problem in problems
    ]


def test_one_fault_may_be_wrong_in_three_ways_and_hears_of_each(tmp_path: Path) -> None:
    body = fault(
        "{name: a, link: nowhere, toxic: latncy, stream: up, for: 1, attributes: {latency: 1s}}"
    )
    expected = ["link", "toxic", "stream", "for"]
    assert expected == [line.split(".")[1].split(":")[0] for line in complaints(tmp_path, body)]


def test_rules_still_judge_the_sound_entries_beside_a_broken_one(tmp_path: Path) -> None:
    body = """\
    faults:
      - {name: a, link: order_to_payment, down: true, from: 1}
      - {name: b, link: order_to_payment, down: true, from: {before_checkout: 20}}
    """
    assert complaints(tmp_path, body) == [
        '6:57: faults[0].from: 1 has no unit; write "1ms"',
        "7:75: faults[1].from.before_checkout: 20 is above load.checkouts, which is 8",
    ]


def test_a_broken_load_raises_no_false_alarm_about_checkouts(tmp_path: Path) -> None:
    body = "load: {checkouts: many}\nshoppers: [{checkouts: 400}]\n"
    assert complaints(tmp_path, body) == ['5:19: load.checkouts: "many" is not a whole number']


def test_load_scenario_raises_with_everything(tmp_path: Path) -> None:
    path = written(tmp_path, HEAD + "seed: x\ntags: x\n")
    assert refusal(path) == '5:7: seed: "x" is not a whole number\n6:7: tags: "x" is not a list'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "1:1: the file is empty; a scenario begins with `version: 1`"),
        ("# only a comment\n", "1:1: the file is empty; a scenario begins with `version: 1`"),
        ("- 1\n", "1:1: a list is not a mapping"),
        ("a: [1,\nb: 2\n", "3:1: not YAML: while parsing a flow sequence"),
        ("a: 1\n---\nb: 2\n", "2:1: not YAML: expected a single document in the stream"),
        ("a: *nobody\n", "1:4: not YAML: found undefined alias 'nobody'"),
        (HEAD + "seed: 1\nseed: 2\n", "6:1: seed: duplicate key; it is already on line 5"),
        (
            HEAD + "stack: &s {time_scale: 1}\nload: *s\n",
            "5:8: load: aliases (`*name`) are not offered; write the value out",
        ),
        pytest.param("[" * 90_000, "1:1: nested too deeply to be a scenario", id="nested"),
        ("a: \x01\n", "1:4: not YAML: special characters are not allowed"),
    ],
)
def test_what_is_no_single_yaml_mapping_is_told_by_line_and_column(
    tmp_path: Path, text: str, expected: str
) -> None:
    assert refusal(written(tmp_path, text)).startswith(expected)


def test_bytes_that_are_not_utf_8_are_placed(tmp_path: Path) -> None:
    path = tmp_path / "01-story.yaml"
    path.write_bytes(b"version: 1\nwhy: caf\xe9\n")
    assert refusal(path) == "2:9: byte 0xe9 is not UTF-8; save the file as UTF-8"


def test_a_file_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    assert refusal(tmp_path / "gone.yaml") == "1:1: cannot be read: No such file or directory"
