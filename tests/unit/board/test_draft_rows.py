"""Reviewing a draft: what the operator keeps, moves and trims becomes a command."""

from checkout_sim.board.draft_rows import Review, moments_of, rows
from checkout_sim.model.answer import Draft, DraftItem
from checkout_sim.model.command import DraftScenario, SaveScenario

LOAD = DraftItem(id="checkout-1", kept=True, what="load: checkout 1", begins="mug 2", ends="1.3 s")
FAULT = DraftItem(
    id="f1",
    kept=True,
    what="reply lost on 6",
    begins="before checkout 1",
    ends="client.ended of #1",
    moments=("before checkout 1", "0.9s", "on order.created of #1"),
)
HEAL = DraftItem(
    id="heal", kept=False, what="heal all", begins="31.0s", ends="", why_dropped="calm does this"
)


def draft(*items: DraftItem) -> Draft:
    return Draft(command_id="c1", run_id="7c22", name="recorded", items=items, text="version: 1\n")


def review() -> Review:
    return Review(run="/runs/7c22").answered(draft(LOAD, FAULT, HEAL))


def test_the_first_question_names_no_run_and_leaves_the_choice_to_the_engine() -> None:
    assert Review().command == DraftScenario()


def test_a_dropped_item_is_asked_to_be_left_out_and_can_be_taken_back() -> None:
    dropped = review().moved(1).toggled()

    assert dropped.command == DraftScenario(run="/runs/7c22", name="recorded", drop=("f1", "heal"))
    answered = dropped.answered(
        draft(LOAD, DraftItem(id="f1", kept=False, what="", begins="", ends=""), HEAL)
    )
    assert answered.toggled().command.drop == ("heal",)


def test_the_moments_are_gone_through_in_turn_and_begin_again() -> None:
    marked = review().moved(1)

    chosen = []
    for _ in range(3):
        marked = marked.next_moment()
        chosen.append(marked.command.moments["f1"])

    assert chosen == [1, 2, 0]


def test_an_item_without_a_choice_of_moments_stays_as_it_is() -> None:
    assert review().next_moment() == review()
    assert moments_of(LOAD) == "this has no moment of its own"


def test_trimming_is_switched_off_and_on() -> None:
    assert review().trimmed().command.trim_idle is False
    assert review().trimmed().trimmed().command.trim_idle is True


def test_the_mark_stays_on_the_items_when_an_answer_has_fewer() -> None:
    assert review().moved(9).answered(draft(LOAD)).at == 0
    assert Review().moved(1).marked is None


def test_what_is_saved_is_the_engines_own_text() -> None:
    assert Review().save() is None
    assert review().save() == SaveScenario(name="recorded", text="version: 1\n")


def test_a_dropped_item_says_why() -> None:
    assert [(row.mark, row.ends) for row in rows(review())] == [
        ("[x]", "1.3 s"),
        ("[x]", "client.ended of #1"),
        ("[ ]", "calm does this"),
    ]
