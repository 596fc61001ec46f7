"""How the end of a broker's connection shows, whatever the libraries call it."""

import pytest

from services.chassis.messaging import LOST, naming_loss


def test_a_bare_exception_of_a_connection_that_just_broke_is_a_loss() -> None:
    with pytest.raises(LOST), naming_loss():
        raise Exception  # noqa: TRY002 - as aiormq does


@pytest.mark.parametrize("bug", [ValueError("ours"), KeyError("ours"), TimeoutError()])
def test_any_other_error_stays_what_it_is(bug: Exception) -> None:
    with pytest.raises(type(bug)) as raised, naming_loss():
        raise bug

    assert raised.value is bug
