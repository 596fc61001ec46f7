"""One terminal a test, and one at a time: dashboards that compete for two cores prove nothing."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tui.e2e.terminal import Terminal


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("terminal"))


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    """A terminal in a folder of its own."""
    if shutil.which("tmux") is None:
        pytest.skip("tmux is not installed: the dashboard is not tried in a real terminal")
    with Terminal(tmp_path) as opened:
        yield opened
