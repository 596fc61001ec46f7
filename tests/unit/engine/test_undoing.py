"""Undo reverts the newest thing that still can be reverted; redo does it again."""

from hypothesis import given
from hypothesis import strategies as st

from checkout_sim.engine.undoing import Deed, Done, UndoList
from checkout_sim.model.command import Inject, LiftFault
from checkout_sim.model.fault import LinkFault


def injected(name: str) -> Done:
    inject = Inject(name=name, kind=LinkFault(links=("payment_to_gateway",), down=True))
    return Done(title=name, undo=(LiftFault(name=name),), redo=(inject,))


class Faults:
    """The faults in force, by name: what can be lifted, and what can be injected."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def possible(self, deed: Deed) -> bool:
        assert isinstance(deed, Inject | LiftFault)
        return (deed.name in self.names) is isinstance(deed, LiftFault)

    def carry_out(self, deeds: tuple[Deed, ...]) -> None:
        for deed in deeds:
            assert isinstance(deed, Inject | LiftFault)
            (self.names.discard if isinstance(deed, LiftFault) else self.names.add)(deed.name)


def test_the_newest_is_undone_first_and_done_again_last() -> None:
    faults, done = Faults(), UndoList()
    for name in ("one", "two"):
        faults.names.add(name)
        done.did(injected(name))

    undone = [done.undo(faults.possible), done.undo(faults.possible)]
    assert [one.title for one in undone if one] == ["two", "one"]
    assert done.undo(faults.possible) is None


def test_what_ended_by_itself_is_passed_over() -> None:
    faults, done = Faults(), UndoList()
    for name in ("stays", "ended"):
        faults.names.add(name)
        done.did(injected(name))
    faults.names.discard("ended")

    assert done.next_undo(faults.possible) == "stays"
    undone = done.undo(faults.possible)
    assert undone is not None
    assert undone.title == "stays"


def test_doing_something_new_forgets_what_was_undone() -> None:
    faults, done = Faults(), UndoList()
    faults.names.add("one")
    done.did(injected("one"))
    first = done.undo(faults.possible)
    assert first is not None
    faults.carry_out(first.undo)
    done.did(injected("two"))

    assert done.redo(faults.possible) is None


@given(names=st.lists(st.sampled_from("abc"), max_size=12), back=st.integers(0, 12))
def test_as_many_redos_as_undos_lead_back_to_where_one_was(names: list[str], back: int) -> None:
    faults, done = Faults(), UndoList()
    for name in names:
        if name not in faults.names:
            faults.names.add(name)
            done.did(injected(name))
    before = set(faults.names)

    undone = 0
    for _ in range(back):
        step = done.undo(faults.possible)
        if step is not None:
            faults.carry_out(step.undo)
            undone += 1
    assert len(faults.names) == len(before) - undone
    for _ in range(undone):
        again = done.redo(faults.possible)
        assert again is not None
        faults.carry_out(again.redo)

    assert faults.names == before
