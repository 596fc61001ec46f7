"""Reading: questions to a history, asked in two threads where its index is a file.

Takes questions; gives their answers as futures. SQLite lets go of Python's lock while it searches,
so two connections to one file use two cores. No question sees another, so the answers are the same
either way. An index in memory belongs to one connection: there each question is answered at once.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from queue import SimpleQueue
from typing import Protocol, TypeVar

from checkout_sim.checks.history import History

Answer = TypeVar("Answer")


class Ask(Protocol):
    """Puts a question to the history; what it raises is raised by the answer's `result()`."""

    def __call__(self, question: Callable[[History], Answer], /) -> Future[Answer]:
        """Return what will hold the answer."""


@contextmanager
def reading(history: History) -> Iterator[Ask]:
    """Let questions be asked of a history for as long as the block lasts."""
    beside = history.beside()
    if beside is None:
        yield lambda question: _answered(question, history)
        return
    free: SimpleQueue[History] = SimpleQueue()
    free.put(history)
    free.put(beside)

    def ask(question: Callable[[History], Answer]) -> Answer:
        mine = free.get()  # one is always free: there are as many as threads
        try:
            return question(mine)
        finally:
            free.put(mine)

    with closing(beside), ThreadPoolExecutor(max_workers=2) as pool:
        yield lambda question: pool.submit(ask, question)


def _answered(question: Callable[[History], Answer], history: History) -> Future[Answer]:
    answer: Future[Answer] = Future()
    try:
        answer.set_result(question(history))
    except Exception as error:  # noqa: BLE001 - a future holds what its question raised
        answer.set_exception(error)
    return answer
