"""Whom a server becomes that must not run as root, and that it really does."""

import os
import pwd
import sys
from pathlib import Path

import pytest

from checkout_sim.model.errors import StackDidNotStart
from checkout_sim.stack.unprivileged import User, spawn, user_for


def test_an_ordinary_user_stays_who_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert user_for("broker", "rabbitmq") is None


def test_root_becomes_the_first_user_that_exists(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    own = pwd.getpwuid(os.getuid())
    expected = User(uid=own.pw_uid, gid=own.pw_gid)
    assert user_for("broker", "no such user", own.pw_name, "nor this") == expected


def test_root_with_nobody_to_become_is_told_to_be_somebody(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(name: str) -> pwd.struct_passwd:
        raise KeyError(name)

    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(pwd, "getpwnam", nobody)
    with pytest.raises(StackDidNotStart, match=r"^database: .* no user postgres or nobody .*user$"):
        user_for("database", "postgres")


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root can become")
async def test_a_program_started_by_root_runs_as_the_user_alone(tmp_path: Path) -> None:
    nobody = user_for("database", "nobody")
    assert nobody is not None
    program = await spawn(
        ["/usr/bin/id", "-G"], user=nobody, environment={}, folder=tmp_path, log="groups.log"
    )
    assert await program.wait() == 0
    program = await spawn(
        ["/usr/bin/id", "-u"], user=nobody, environment={}, folder=tmp_path, log="user.log"
    )
    assert await program.wait() == 0
    assert (tmp_path / "groups.log").read_text(encoding="ascii").split() == [str(nobody.gid)]
    assert int((tmp_path / "user.log").read_text(encoding="ascii")) == nobody.uid


async def test_a_program_says_nothing_but_in_its_log_and_hears_what_it_is_told(
    tmp_path: Path,
) -> None:
    program = await spawn(
        ["/bin/sh", "-c", 'echo "$TOLD in $(pwd)"; echo "no more $HOME" >&2; read -r heard'],
        user=None,
        environment={"TOLD": "said"},
        folder=tmp_path,
        log="out.log",
    )
    assert await program.wait() == 1  # nothing to read
    assert (tmp_path / "out.log").read_text(encoding="utf-8").splitlines() == [
        f"said in {tmp_path}",
        "no more ",
    ]
