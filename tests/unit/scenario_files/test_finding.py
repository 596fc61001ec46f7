"""Scenarios by file, folder, name and number; links by their map."""

from pathlib import Path

import pytest

from checkout_sim.model.errors import CheckoutSimError, ScenarioInvalid
from checkout_sim.scenario_files.load import find_scenarios, link_names
from tests.unit.scenario_files.stories import written


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "scenarios"
    folder.mkdir()
    for name in ("07-lost-response-silent.yaml", "02-decline.yaml", "mine.yaml", "README.md"):
        (folder / name).touch()
    return folder


@pytest.mark.parametrize("target", ["07-lost-response-silent", "lost-response-silent", "07", "7"])
def test_a_scenario_answers_to_its_name_and_its_number(root: Path, target: str) -> None:
    assert (root / "07-lost-response-silent.yaml",) == find_scenarios([target], roots=[root])


def test_a_folder_means_its_scenarios_sorted(root: Path) -> None:
    expected = ("02-decline.yaml", "07-lost-response-silent.yaml", "mine.yaml")
    assert expected == tuple(path.name for path in find_scenarios([str(root)], roots=[]))


def test_no_target_means_all(root: Path) -> None:
    assert find_scenarios([str(root)], roots=[]) == find_scenarios([], roots=[root])


def test_a_scenario_named_twice_is_taken_once(root: Path) -> None:
    path = root / "mine.yaml"
    assert (path,) == find_scenarios([str(path), "mine"], roots=[root])


def test_an_unknown_name_is_told_the_nearest(root: Path) -> None:
    with pytest.raises(CheckoutSimError) as refused:
        find_scenarios(["lost-response"], roots=[root])
    expected = 'no scenario is called "lost-response"; did you mean "lost-response-silent"?'
    assert expected == str(refused.value)


def test_a_file_that_is_not_there_is_not_taken_for_a_name(root: Path) -> None:
    with pytest.raises(CheckoutSimError, match=r"gone\.yaml: no such file$"):
        find_scenarios([str(root / "gone.yaml")], roots=[])


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CheckoutSimError, match=r"no \*\.yaml in this folder"):
        find_scenarios([str(tmp_path)], roots=[])


def test_the_map_of_links_gives_their_names_in_order(tmp_path: Path) -> None:
    text = """\
    [
      {"name": "b", "listen": "127.0.0.1:13001", "upstream": "127.0.0.1:3001"},
      {"name": "a", "listen": "127.0.0.1:13002", "upstream": "127.0.0.1:3002", "enabled": true}
    ]
    """
    assert link_names(written(tmp_path, text, name="toxiproxy.json")) == ("b", "a")


ENTRY = '{"name": "a", "listen": "127.0.0.1:1", "upstream": "127.0.0.1:2"}'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{}", "1:1: expected a list of proxies, as in Toxiproxy's -config"),
        (f'[{ENTRY[:-1]}, "toxics": []}}]', "1:68: [0].toxics: Toxiproxy ignores toxics here;"),
        (f'[{ENTRY[:-1]}, "lisen": 1}}]', '1:68: [0].lisen: unknown key; did you mean "listen"?'),
        (ENTRY.join("[]").replace('"name": "a", ', ""), '1:2: [0]: "name" is required and missing'),
        (ENTRY.join("[]").replace("127.0.0.1:1", "1"), '1:26: [0].listen: "1" is not an address'),
        (
            ENTRY.join("[]").replace("127.0.0.1:1", "0.0.0.0:1"),
            '1:26: [0].listen: "0.0.0.0:1" listens beyond this machine; write "127.0.0.1:1"',
        ),
        (f"[{ENTRY},\n{ENTRY}]", '2:10: [1].name: "a" is already proxy [0]\'s'),
        ("[{]", "1:3: not YAML"),
    ],
)
def test_a_map_toxiproxy_would_shrug_at_is_refused(tmp_path: Path, text: str, said: str) -> None:
    path = written(tmp_path, text, name="toxiproxy.json")
    with pytest.raises(ScenarioInvalid) as refused:
        link_names(path)
    assert str(refused.value).removeprefix(f"{path}:").startswith(said)


def test_a_missing_file_is_told_three_near_names_at_most(tmp_path: Path) -> None:
    for number in range(1, 8):
        (tmp_path / f"0{number}-slow-payment-{number}.yaml").touch()
    with pytest.raises(CheckoutSimError) as refused:
        find_scenarios(["slow-payments.yaml"], roots=[tmp_path])
    assert str(refused.value).startswith("slow-payments.yaml: no such file; did you mean")
    assert str(refused.value).count(" or ") == 2
