"""The codec gives back what it took, forgives one torn line, and nothing else."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkout_sim.model.errors import HistoryUnreadable
from checkout_sim.model.history import Observation
from checkout_sim.ndjson import decode, encode, read_history

_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
_OBSERVATIONS = st.builds(
    Observation,
    id=st.integers(1, 2**53),
    t_ms=st.floats(0, 1e9),
    source=st.text(min_size=1),
    kind=st.text(min_size=1),
    source_ms=st.none() | st.floats(0, 1e9),
    checkout=st.none() | st.integers(1),
    order=st.none() | st.text(),
    key=st.none() | st.text(),
    fault=st.none() | st.text(),
    data=st.dictionaries(st.text(), _JSON, max_size=4),
)


@given(_OBSERVATIONS)
def test_what_is_written_is_read_back(observation: Observation) -> None:
    line = encode(observation)

    assert decode(line) == observation
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1


def test_absent_fields_are_not_written() -> None:
    line = encode(Observation(id=1, t_ms=0.5, source="runner", kind="phase.entered"))

    assert line == b'{"id":1,"t_ms":0.5,"source":"runner","kind":"phase.entered"}\n'


def test_what_json_cannot_hold_is_refused() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        encode(Observation(id=1, t_ms=float("nan"), source="runner", kind="x"))


def opened(version: int = 1) -> Observation:
    data = {"history_version": version, "tool": "0.1.0"}
    return Observation(id=1, t_ms=0.0, source="runner", kind="run.opened", data=data)


def written(folder: Path, *lines: bytes) -> Path:
    path = folder / "history.ndjson"
    path.write_bytes(b"".join(lines))
    return path


def test_one_torn_last_line_is_dropped(tmp_path: Path) -> None:
    whole = encode(opened())
    path = written(tmp_path, whole, whole[:30])

    assert list(read_history(path)) == [opened()]


def test_a_last_line_that_lacks_only_its_newline_is_read(tmp_path: Path) -> None:
    path = written(tmp_path, encode(opened()).rstrip(b"\n"))

    assert list(read_history(path)) == [opened()]


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (b'{"id":2,"t_ms":\n', "not a line of JSON"),
        (b"[]\n", "not a JSON object"),
        (b'{"id":2}\n', "no field 't_ms'"),
        (b'{"id":2,"t_ms":1,"source":"a","kind":"b","who":1}\n', "unknown field 'who'"),
        (b'{"id":"2","t_ms":1,"source":"a","kind":"b"}\n', "wrong type"),
        (b"\xff\xfe\n", "not a line of JSON"),
    ],
)
def test_any_other_damage_is_named_with_file_and_line(
    tmp_path: Path, damage: bytes, says: str
) -> None:
    path = written(tmp_path, encode(opened()), damage, encode(opened()))

    with pytest.raises(HistoryUnreadable) as refused:
        list(read_history(path))
    assert str(refused.value).startswith(f"{path}:2: ")
    assert says in str(refused.value)


@pytest.mark.parametrize(
    ("version", "told"),
    [
        (2, r"is 2, this tool reads 1; a newer checkout-sim recorded it \(0\.1\.0\): .*upgrade"),
        (
            0,
            r"is 0, this tool reads 1; an older checkout-sim recorded it .* run the scenario again",
        ),
    ],
)
def test_a_history_of_another_version_says_how_old_it_is_and_what_to_do(
    tmp_path: Path, version: int, told: str
) -> None:
    path = written(tmp_path, encode(opened(version=version)))

    with pytest.raises(HistoryUnreadable, match=told):
        list(read_history(path))


def test_a_missing_history_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(HistoryUnreadable, match=r"cannot be read: .*checkout-sim runs"):
        list(read_history(tmp_path / "absent.ndjson"))


def test_a_line_is_plain_json_for_any_other_reader() -> None:
    data = {"body": "naïve ✓", "amount_minor": 4200}
    observation = Observation(id=7, t_ms=1.25, source="order", kind="order.created", data=data)

    assert json.loads(encode(observation))["data"] == data
