"""orchestrated: payment as a participant of a saga.

5. orchestrator → payment `POST /payment/process`; payment does hardened's 4 to 8
9. orchestrator → payment `POST /payment/cancel` (the fence) and `/payment/refund` (the undo of 5)

The saga's steps meet one row per order, unique by order id: a step that comes again is answered
from it, and a charge that comes after its undo meets the tombstone the undo left. So the row is
this participant's table of stored answers, and everything that hardened does for a caller that
repeats itself serves a saga as it is, the reconciler towards the gateway included.

Not survived: what hardened does not survive.
"""

from .hardened import Hardened


class Orchestrated(Hardened):
    """The same machinery; only who repeats the steps, and for how long, is another's affair."""
