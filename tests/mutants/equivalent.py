"""Changes that no scenario can tell from the original, each with the argument why.

They are applied as the others are, so that an argument is not kept about code that is gone.
"""

from tests.mutants.mutant import Equivalent

EQUIVALENT: tuple[Equivalent, ...] = (
    Equivalent(
        name="M13-payment",
        wrong="a payment is written without regard to the fence number",
        file="payment/store.py",
        old='_P.fence == bindparam("of_fence"),',
        new='_P.fence >= bindparam("of_fence"),',
        because="A write also names the phase it leaves (R11), and every step that matters leaves "
        "one: who slept through it finds another phase and stops. What a stale owner can still "
        "write within one phase is a lease and a time to look again, under keys that are the same "
        "for every owner (R2), so the gateway answers both alike. The order's fence, whose states "
        "are fewer, is M13, and caught.",
    ),
    Equivalent(
        name="E2",
        wrong="a payment that somebody has begun to drive is looked up among the due ones",
        file="payment/store.py",
        old='_P.lease_until_ms <= bindparam("now"),',
        new="_P.lease_until_ms.is_not(None),",
        because="Who finds a payment must still take its lease, and `take_lease` looks at the same "
        "column again: a row that is owned is passed over there. It costs a look, and no more.",
    ),
    Equivalent(
        name="M18-saga",
        wrong="a refund that payment has not finished counts as done for the saga",
        file="orchestrator/answers.py",
        old="event = _done(Step.REFUND) if answer.http_status == HTTPStatus.OK else None",
        new="event = _done(Step.REFUND)",
        because="Payment commits `refunding` and its key before it answers 202, and its own "
        "reconciler goes on until the money is back (R5): the saga's repetition is a second motor "
        "of one and the same refund. The first motor is M18, and caught.",
    ),
    Equivalent(
        name="E4",
        wrong="a commit is not flushed to the disk",
        file="chassis/sqlite.py",
        old='"PRAGMA synchronous=FULL",',
        new='"PRAGMA synchronous=OFF",',
        because="Scenarios kill processes, and what a killed process has written stays with the "
        "kernel. Only a machine that loses its power could tell, and none is switched off here.",
    ),
    Equivalent(
        name="M34",
        wrong="a late event puts a refunded payment back to completed",
        file="payment/payment.py",
        old="Phase.REFUNDED: frozenset({Phase.REFUNDING}),",
        new="Phase.REFUNDED: frozenset({Phase.REFUNDING, Phase.COMPLETED}),",
        because="The caller still wants its money back, so a completed payment is refunded again, "
        "and under the same key (R2) the gateway tells of the refund it has made. The row is back "
        "where it was before anybody reads it.",
    ),
)
