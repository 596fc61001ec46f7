"""What a broker's library raises of a connection that has just broken, by its name."""

import pytest

from checkout_sim.model.broker import naming_loss


def test_a_bare_exception_is_a_lost_connection() -> None:
    with pytest.raises(ConnectionError, match="just broken") as raised, naming_loss():
        raise Exception  # noqa: TRY002 - as aiormq does

    assert type(raised.value.__cause__) is Exception


@pytest.mark.parametrize("error", [TimeoutError(), RuntimeError("closed"), KeyError("bug")])
def test_every_other_error_stays_what_it_is(error: Exception) -> None:
    with pytest.raises(type(error)) as raised, naming_loss():
        raise error

    assert raised.value is error
