"""Which of an installed server's applications its private home has."""

from pathlib import Path

import pytest

from checkout_sim.stack.rabbitmq_home import make_home, needed, settings_of

_RABBIT = """\
{application, 'rabbit', [
\t{vsn, "3.10.8"},
\t{modules, ['rabbit','rabbit_management_stub']},
\t{registered, [rabbit_federation]},
\t{applications, [kernel,stdlib,rabbitmq_prelaunch,
\t\t'rabbit_common', ra]},
\t{env, [{collect_statistics, none}]}
]}.
"""


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A server as its archive unpacks it: five applications, one plugin, one archive, one note."""
    folder = tmp_path / "rabbitmq_server-3.10.8"
    (folder / "sbin").mkdir(parents=True)
    (folder / "sbin" / "rabbitmq-env").touch()
    for name, told in {
        "rabbit": _RABBIT,
        "rabbitmq_prelaunch": "{application,rabbitmq_prelaunch,[{applications,[kernel]}]}.",
        "rabbit_common": "{application,rabbit_common,[{applications, [\n]}]}.",
        "ra": "{application,ra,[{applications,[batch]},{included_applications,[aten]}]}.",
        "aten": "{application,aten,[]}.",
        "batch": "{application,batch,[]}.",
        "rabbitmq_management": "{application,rabbitmq_management,[{applications,[rabbit]}]}.",
    }.items():
        described = folder / "plugins" / f"{name}-3.10.8" / "ebin" / f"{name}.app"
        described.parent.mkdir(parents=True)
        described.write_text(told, encoding="utf-8")
    (folder / "plugins" / "cuttlefish-3.0.1.ez").touch()
    (folder / "plugins" / "README").touch()
    return folder


def test_a_home_has_what_the_broker_depends_on_and_no_plugin(
    installed: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    make_home(installed, home)
    assert {
        "README",
        "aten-3.10.8",
        "cuttlefish-3.0.1.ez",
        "batch-3.10.8",
        "ra-3.10.8",
        "rabbit-3.10.8",
        "rabbit_common-3.10.8",
        "rabbitmq_prelaunch-3.10.8",
    } == {entry.name for entry in (home / "plugins").iterdir()}
    assert settings_of(home) == {
        "RABBITMQ_SCRIPTS_DIR": str(home / "sbin"),
        "RABBITMQ_PLUGINS_DIR": str(home / "plugins"),
    }


@pytest.mark.parametrize("missing", ["sbin/rabbitmq-env", "plugins/rabbit-3.10.8/ebin/rabbit.app"])
def test_a_server_laid_out_in_another_way_starts_as_it_is_installed(
    installed: Path, tmp_path: Path, missing: str
) -> None:
    (installed / missing).unlink()
    make_home(installed, tmp_path / "home")
    assert settings_of(tmp_path / "home") == {}


def test_applications_that_depend_on_each_other_are_needed_once() -> None:
    assert needed({"rabbit": ["ra", "kernel"], "ra": ["rabbit"], "top": ["rabbit"]}) == {
        "rabbit",
        "ra",
    }
