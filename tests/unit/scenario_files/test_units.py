"""Values with units: what is read, and what a person is told to write instead."""

from collections.abc import Callable

import pytest

from checkout_sim.model.scenario import Drawn
from checkout_sim.scenario_files import units


@pytest.mark.parametrize(
    ("read", "raw", "expected"),
    [
        (units.milliseconds, "150ms", 150),
        (units.milliseconds, "1.5s", 1_500),
        (units.milliseconds, "2m", 120_000),
        (units.milliseconds, "2000us", 2),
        (units.microseconds, "250us", 250),
        (units.drawn_milliseconds, "3s", 3_000),
        (units.drawn_milliseconds, "100ms..1s", Drawn(low_ms=100, high_ms=1_000)),
        (units.size_bytes, "2KB", 2_000),
        (units.size_bytes, "1.5MB", 1_500_000),
        (units.kilobytes_per_second, "4KB/s", 4),
        (units.kilobytes_per_second, "0KB/s", 0),
        (units.kilobytes_per_second, 0, 0),
        (units.per_second, "0.5/s", 0.5),
        (units.share, "30%", 0.3),
        (units.share, "100%", 1.0),
        (units.minor_units, "19.99", 1_999),
        (units.minor_units, "42", 4_200),
        (units.minor_units, "0.1", 10),
        (units.inclusive_range, 5, (5, 5)),
        (units.inclusive_range, "4..5", (4, 5)),
        (units.checkouts, "all", None),
        (units.checkouts, 3, ((3, 3),)),
        (units.checkouts, [1, "3..5"], ((1, 1), (3, 5))),
    ],
)
def test_a_value_is_read_in_its_field_s_unit(
    read: Callable[[object], object], raw: object, expected: object
) -> None:
    assert expected == read(raw)


@pytest.mark.parametrize(
    ("read", "raw", "told"),
    [
        (units.milliseconds, 150, '150 has no unit; write "150ms"'),
        (units.milliseconds, 0, '0 has no unit; write "0ms"'),
        (units.milliseconds, "soon", '"soon" is not a duration; write it like "150ms"'),
        (units.milliseconds, "-1s", '"-1s" is not a duration; write it like "150ms"'),
        (units.milliseconds, True, 'true is not a duration; write it like "150ms"'),
        (units.milliseconds, None, 'nothing is not a duration; write it like "150ms"'),
        (units.milliseconds, "250us", '"250us" is finer than 1ms, the finest this key can be'),
        (units.milliseconds, "2000m", '"2000m" is longer than a day'),
        (
            units.milliseconds,
            "1s..2s",
            '"1s..2s" is a range, which only toxic attributes and controls may have',
        ),
        (units.microseconds, "0.5us", '"0.5us" is not a whole number of microseconds'),
        (units.drawn_milliseconds, "3s..1s", '"3s..1s" runs backwards; write "1s..3s"'),
        (units.size_bytes, 600, '600 has no unit; write "600B"'),
        (units.kilobytes_per_second, 4, '4 has no unit; write "4KB/s"'),
        (units.kilobytes_per_second, "500B/s", '"500B/s" is not a whole number of KB/s'),
        (units.per_second, "0/s", '"0/s" sends nobody; write a rate above zero'),
        (units.share, 30, '30 has no unit; write "30%"'),
        (units.share, "0%", '"0%" is not a share; write more than 0% and at most 100%'),
        (
            units.minor_units,
            19.99,
            '19.99 must be quoted, lest it be a float; write "19.99"',
        ),
        (units.minor_units, "19.999", '"19.999" is not money; write it like "19.99"'),
        (
            units.minor_units,
            "1000000.01",
            '"1000000.01" is above 1000000.00, the dearest a line may be',
        ),
        (
            units.inclusive_range,
            "many",
            '"many" is neither a count nor a range; write 5 or 4..5',
        ),
        (units.inclusive_range, "5..4", "5..4 runs backwards; write 4..5"),
        (units.checkouts, [], "[] names no checkout; write 3, [1, 3], 2..5 or all"),
        (units.checkouts, 0, "0: checkouts count from 1"),
    ],
)
def test_what_is_no_value_says_what_to_write(
    read: Callable[[object], object], raw: object, told: str
) -> None:
    with pytest.raises(units.NotAValue) as refused:
        read(raw)
    assert told == str(refused.value)
