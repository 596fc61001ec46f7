"""Every command and every answer comes back from its line as it went in."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checkout_sim.model import answer as answers
from checkout_sim.model import command as commands
from checkout_sim.model.errors import HistoryUnreadable
from checkout_sim.model.fault import GatewayFault, LinkFault
from checkout_sim.model.history import Observation
from checkout_sim.stream.lines import asked_of, line_of, plain_of, streamed_of, value_of

_FINITE = st.floats(allow_nan=False, allow_infinity=False)
st.register_type_strategy(float, _FINITE)

_COMMANDS = st.one_of([st.from_type(kind) for kind in commands.Command.__args__])
_ANSWERS = st.one_of([st.from_type(kind) for kind in answers.Answer.__args__])


@settings(max_examples=60)
@given(command=_COMMANDS, command_id=st.text(), by=st.text())
def test_a_command_arrives_as_it_was_sent(
    command: commands.Command, command_id: str, by: str
) -> None:
    asked = commands.Asked(command_id=command_id, command=command, by=by)

    line = line_of(asked)

    assert asked_of(line) == asked
    assert line.count(b"\n") == 1, "one line, whatever the texts in it hold"


@settings(max_examples=60)
@given(answer=_ANSWERS)
def test_an_answer_arrives_as_it_was_sent(answer: answers.Answer) -> None:
    assert streamed_of(line_of(answer)) == answer


def test_an_observation_travels_as_the_history_has_it() -> None:
    seen = Observation(id=3, t_ms=1.5, source="client", kind="client.sent", checkout=1)

    assert streamed_of(line_of(seen)) == seen
    assert b'"is"' not in line_of(seen)


@settings(max_examples=60)
@given(fault=st.one_of(st.from_type(LinkFault), st.from_type(GatewayFault)))
def test_what_the_history_keeps_of_a_command_can_be_read_again(
    fault: LinkFault | GatewayFault,
) -> None:
    injecting = commands.Inject(name="f1", kind=fault)

    assert value_of(plain_of(injecting), commands.Inject) == injecting


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (b'{"is":"Asked","command_id":"1","command":{"is":"Explode"}}\n', "Explode"),
        (b'{"is":"Asked","command_id":"1","command":{"is":"Note"}}\n', "no field 'text'"),
        (b'{"is":"Asked","command_id":"1","command":{"is":"Undo","now":1}}\n', "'now'"),
        (b'{"is":"Asked","command_id":7,"command":{"is":"Undo"}}\n', "expected str"),
        (b'{"is":"Ack","command_id":"1"}\n', "expected Asked"),
        (b"[1]\n", "expected Asked"),
        (b"nonsense\n", "not a line of JSON"),
    ],
)
def test_a_line_that_is_no_command_is_refused_by_what_is_wrong(line: bytes, complaint: str) -> None:
    with pytest.raises(HistoryUnreadable, match=complaint):
        asked_of(line)


def test_a_truth_value_is_no_number() -> None:
    with pytest.raises(HistoryUnreadable, match=r"Subscribe\.from_id is True"):
        asked_of(b'{"is":"Asked","command_id":"1","command":{"is":"Subscribe","from_id":true}}\n')
