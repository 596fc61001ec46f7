"""Process faults made real: SIGKILL, SIGSTOP, a restart; and what undoes each.

Takes a ProcessFault and whatever has the processes (`stack.supervisor` fits); gives the name of
the process struck. The read-back is the kernel's, and the supervisor's business: a deed that
returned is done.
"""

from typing import Protocol, assert_never

from checkout_sim.model.errors import FaultNotApplied
from checkout_sim.model.fault import ProcessFault


class Processes(Protocol):
    """The processes of a stack, by service name and instance (from 1).

    Each deed returns when the kernel confirms it and raises FaultNotApplied when it cannot.
    """

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the services this stack has."""

    async def kill(self, name: str, instance: int = 1) -> None:
        """SIGKILL; done when reaped."""

    async def pause(self, name: str, instance: int = 1) -> None:
        """SIGSTOP; done when every thread is stopped."""

    async def resume(self, name: str, instance: int = 1) -> None:
        """SIGCONT, where it is paused."""

    async def restart(self, name: str, instance: int = 1) -> None:
        """SIGTERM, then start again; done when healthy."""

    async def start_again(self, name: str, instance: int = 1) -> None:
        """Start what has ended; done when healthy."""


def choose(fault: ProcessFault, processes: Processes) -> str:
    """Return which of the fault's alternatives this stack has; none raises FaultNotApplied."""
    for name in fault.processes:
        if name in processes.names:
            return name
    raise FaultNotApplied(
        f"cannot {fault.do} {' or '.join(fault.processes)}: this stack has "
        f"{', '.join(processes.names) or 'no processes'}"
    )


async def strike(fault: ProcessFault, processes: Processes) -> str:
    """Do the fault to its process; return the process's name when the deed is confirmed."""
    name = choose(fault, processes)
    match fault.do:
        case "kill":
            await processes.kill(name, fault.instance)
        case "pause":
            await processes.pause(name, fault.instance)
        case "restart":
            await processes.restart(name, fault.instance)
        case _:
            assert_never(fault.do)
    return name


async def undo(fault: ProcessFault, processes: Processes) -> str:
    """Mend what `strike` broke: start the killed, resume the paused; return the process's name.

    A restart has mended itself; should its process have died since, it is started too, so that
    no fault outlives its window.
    """
    name = choose(fault, processes)
    match fault.do:
        case "kill" | "restart":
            await processes.start_again(name, fault.instance)
        case "pause":
            await processes.resume(name, fault.instance)
        case _:
            assert_never(fault.do)
    return name
