import os
import subprocess
import sys
from pathlib import Path

import pytest

from checkout_sim.archive.recorder import HISTORY_NAME, Recorder
from checkout_sim.model.errors import CheckoutSimError


def test_lines_are_appended_in_order_with_their_newlines(tmp_path: Path) -> None:
    with Recorder(tmp_path) as recorder:
        recorder.append(b'{"id": 1}')
        recorder.append(b'{"id": 2}\n')

    assert (tmp_path / HISTORY_NAME).read_bytes() == b'{"id": 1}\n{"id": 2}\n'


def test_flush_makes_lines_readable_while_the_run_goes_on(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path)
    recorder.append(b"one")
    before = (tmp_path / HISTORY_NAME).read_bytes()
    recorder.flush()

    assert (before, (tmp_path / HISTORY_NAME).read_bytes()) == (b"", b"one\n")
    recorder.close()


def test_a_long_run_is_written_as_it_goes(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path)
    for _ in range(1000):
        recorder.append(b"x" * 200)

    assert (tmp_path / HISTORY_NAME).stat().st_size > 100_000
    recorder.close()


def test_a_closed_history_takes_no_more_lines_and_closes_twice(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path)
    recorder.close()
    recorder.close()

    with pytest.raises(CheckoutSimError, match="closed"):
        recorder.append(b"late")


def test_an_existing_history_is_continued_and_never_overwritten(tmp_path: Path) -> None:
    for line in (b"first", b"second"):
        with Recorder(tmp_path) as recorder:
            recorder.append(line)

    assert (tmp_path / HISTORY_NAME).read_bytes() == b"first\nsecond\n"


def test_a_full_disk_is_told_with_the_folder_and_the_way_out(tmp_path: Path) -> None:
    (tmp_path / HISTORY_NAME).symlink_to("/dev/full")
    recorder = Recorder(tmp_path)
    recorder.append(b"one")

    with pytest.raises(CheckoutSimError, match=r"No space left.*--runs-dir") as caught:
        recorder.flush()

    assert str(tmp_path) in str(caught.value)


def test_a_folder_that_is_missing_is_told_by_name(tmp_path: Path) -> None:
    with pytest.raises(CheckoutSimError, match="gone"):
        Recorder(tmp_path / "gone")


STORY = """
import resource, signal, sys
from pathlib import Path
from checkout_sim.archive.recorder import Recorder
from checkout_sim.model.errors import CheckoutSimError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
recorder = Recorder(Path(sys.argv[1]))
recorder.append(b"a whole line")
recorder.flush()
resource.setrlimit(resource.RLIMIT_FSIZE, (40, 40))
recorder.append(b"fits, just so")
recorder.append(b"this one is cut by the end of the space there is")
try:
    recorder.flush()
except CheckoutSimError as error:
    print(error)
recorder.close()
"""


def test_what_was_written_before_the_disk_was_full_is_whole_lines(tmp_path: Path) -> None:
    # RLIMIT_FSIZE stands in for the disk: the kernel writes the first 40 bytes and refuses the
    # rest, just as it does when space runs out within a write.
    told = subprocess.run(
        [sys.executable, "-c", STORY, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )

    assert (tmp_path / HISTORY_NAME).read_bytes() == b"a whole line\nfits, just so\n"
    assert str(tmp_path) in told.stdout


def test_the_history_is_no_descriptor_of_the_services(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path)
    assert recorder._file is not None

    assert not os.get_inheritable(recorder._file)
    recorder.close()
