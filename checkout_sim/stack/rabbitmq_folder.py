"""The folder of a private RabbitMQ: everything it keeps, and everything it is told of where.

Under the system's temporary folder, where the user it runs as can get to it and a path stays short;
named after the tool's process, so that what a tool killed by SIGKILL left is found and removed.
"""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from tempfile import gettempdir, mkdtemp

from checkout_sim.stack.ports import LOOPBACK
from checkout_sim.stack.rabbitmq_home import make_home, settings_of
from checkout_sim.stack.rabbitmq_program import RabbitProgram
from checkout_sim.stack.unprivileged import User

_FOLDER = "checkout-sim-rabbitmq-"
_CONFIGURATION = """\
listeners.tcp.1 = 127.0.0.1:{port}
log.console = false
log.file = rabbit.log
log.file.level = warning
vm_memory_high_watermark.absolute = 512MB
disk_free_limit.absolute = 50MB
heartbeat = 10
default_user = {user}
default_pass = {password}
"""


def configure(folder: Path, *, port: int, user: str, password: str) -> None:
    """Write the server's configuration file."""
    told = _CONFIGURATION.format(port=port, user=user, password=password)
    (folder / "conf" / "rabbitmq.conf").write_text(told, encoding="utf-8")


def environment(base: Path, amqp: int, epmd: int, erlang: int) -> Mapping[str, str]:
    """Return everything the server and its epmd are told, by their three ports."""
    inherited = {key: os.environ[key] for key in ("PATH", "LANG", "LC_ALL") if key in os.environ}
    # No plugin is asked for; ERLANG's own options: one scheduler, no shell, loopback alone.
    erlang_options = (
        "-noinput -start_epmd false -kernel inet_dist_use_interface {127,0,0,1} +S 1:1 +SDio 2 +A 4"
    )
    return {
        **inherited,
        **settings_of(base / "server"),
        "HOME": str(base / "home"),
        "ERL_EPMD_PORT": str(epmd),
        "ERL_EPMD_ADDRESS": LOOPBACK,
        "RABBITMQ_NODENAME": "sim@localhost",
        "RABBITMQ_BASE": str(base),
        "RABBITMQ_PID_FILE": str(base / "rabbit.pid"),
        "RABBITMQ_MNESIA_BASE": str(base / "mnesia"),
        "RABBITMQ_LOG_BASE": str(base / "log"),
        "RABBITMQ_CONF_ENV_FILE": "/dev/null",
        "RABBITMQ_CONFIG_FILE": str(base / "conf" / "rabbitmq.conf"),
        "RABBITMQ_ADVANCED_CONFIG_FILE": str(base / "conf" / "advanced.config"),
        "RABBITMQ_GENERATED_CONFIG_DIR": str(base / "schema"),
        "RABBITMQ_SCHEMA_DIR": str(base / "schema"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(base / "conf" / "enabled_plugins"),
        "RABBITMQ_NODE_PORT": str(amqp),
        "RABBITMQ_NODE_IP_ADDRESS": LOOPBACK,
        "RABBITMQ_DIST_PORT": str(erlang),
        "RABBITMQ_ALLOW_INPUT": "1",  # the script then becomes the broker: one pid, our child
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": erlang_options,
    }


def make_folder(program: RabbitProgram, user: User | None) -> Path:
    """Make the server's folder, owned by whom it runs as, named after this process."""
    folder = Path(mkdtemp(prefix=f"{_FOLDER}{os.getpid()}-"))
    for name in ("mnesia", "log", "home", "conf", "schema"):
        (folder / name).mkdir()
    (folder / "conf" / "enabled_plugins").write_text("[].\n", encoding="utf-8")
    (folder / "conf" / "advanced.config").write_text("[].\n", encoding="utf-8")
    make_home(program.installed, folder / "server")
    if user is not None:
        for path in (folder, *folder.iterdir(), *folder.glob("conf/*"), *folder.glob("server/*")):
            os.chown(path, user.uid, user.gid)
    return folder


def remove_stale() -> None:
    """Remove what a tool killed by SIGKILL could not: folders whose process is gone."""
    for folder in Path(gettempdir()).glob(f"{_FOLDER}*"):
        owner = folder.name.removeprefix(_FOLDER).partition("-")[0]
        if not owner.isdigit():
            continue
        try:
            os.kill(int(owner), 0)
        except ProcessLookupError:
            shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            continue
