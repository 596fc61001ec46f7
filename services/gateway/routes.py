"""Which URL is which endpoint: the table of /v1."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from . import commands, endpoint_commands, parameters
from .commands import Command
from .errors import InvalidRequest
from .forms import Form

_MAX_PARTS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One endpoint: what it accepts, the operations it counts as, and how it is read.

    What changes something has `read`; a GET has `shows`, the prefix of the objects it retrieves,
    lists or searches. `registers`: it changes who is told of events.
    """

    accepts: frozenset[str]
    operations: tuple[str, ...] = ()
    read: Callable[[Form, str], Command] | None = None
    shows: str = ""
    registers: bool = False
    many: bool = False
    search: bool = False

    @property
    def settles(self) -> bool:
        """Whether something may change by itself after this endpoint was called."""
        return "refund" in self.operations


def _post(
    accepts: frozenset[str], read: Callable[[Form, str], Command], *operations: str
) -> Endpoint:
    return Endpoint(accepts=accepts, read=read, operations=operations)


def _registering(accepts: frozenset[str], read: Callable[[Form, str], Command]) -> Endpoint:
    return Endpoint(accepts=accepts, read=read, registers=True)


def _one(shows: str, accepts: frozenset[str] = parameters.ONLY_EXPAND) -> Endpoint:
    return Endpoint(accepts=accepts, shows=shows, operations=("retrieve",))


def _list(shows: str, accepts: frozenset[str]) -> Endpoint:
    return Endpoint(accepts=accepts, shows=shows, many=True)


# (method, resource, what follows it) → endpoint; `{id}` stands for any id.
_TABLE: Mapping[tuple[str, str, str], Endpoint] = {
    ("POST", "payment_intents", ""): _post(
        parameters.INTENT_CREATE, commands.create_intent, "create"
    ),
    ("POST", "payment_intents", "{id}"): _post(parameters.INTENT_UPDATE, commands.update_intent),
    ("POST", "payment_intents", "{id}/confirm"): _post(
        parameters.INTENT_CONFIRM, commands.confirm_intent, "confirm", "charge"
    ),
    ("POST", "payment_intents", "{id}/capture"): _post(
        parameters.INTENT_CAPTURE, commands.capture_intent
    ),
    ("POST", "payment_intents", "{id}/cancel"): _post(
        parameters.INTENT_CANCEL, commands.cancel_intent, "cancel"
    ),
    ("GET", "payment_intents", ""): _list("pi", parameters.INTENT_LIST),
    ("GET", "payment_intents", "search"): Endpoint(
        accepts=parameters.INTENT_SEARCH, shows="pi", many=True, search=True
    ),
    ("GET", "payment_intents", "{id}"): _one("pi", parameters.INTENT_RETRIEVE),
    ("POST", "refunds", ""): _post(parameters.REFUND_CREATE, commands.create_refund, "refund"),
    ("POST", "refunds", "{id}/cancel"): _post(parameters.ONLY_EXPAND, commands.cancel_refund),
    ("GET", "refunds", ""): _list("re", parameters.REFUND_LIST),
    ("GET", "refunds", "{id}"): _one("re"),
    ("GET", "charges", ""): _list("ch", parameters.CHARGE_LIST),
    ("GET", "charges", "{id}"): _one("ch"),
    ("POST", "payment_methods", ""): _post(
        parameters.PAYMENT_METHOD_CREATE, commands.create_payment_method
    ),
    ("GET", "payment_methods", "{id}"): _one("pm"),
    ("GET", "events", ""): _list("evt", parameters.EVENT_LIST),
    ("GET", "events", "{id}"): _one("evt"),
    ("GET", "balance_transactions", ""): _list("txn", parameters.BALANCE_LIST),
    ("POST", "webhook_endpoints", ""): _registering(
        parameters.ENDPOINT_CREATE, endpoint_commands.create_endpoint
    ),
    ("POST", "webhook_endpoints", "{id}"): _registering(
        parameters.ENDPOINT_UPDATE, endpoint_commands.update_endpoint
    ),
    ("DELETE", "webhook_endpoints", "{id}"): _registering(
        parameters.NOTHING, endpoint_commands.delete_endpoint
    ),
    ("GET", "webhook_endpoints", ""): _list("we", parameters.ENDPOINT_LIST),
    ("GET", "webhook_endpoints", "{id}"): _one("we"),
}


def route(method: str, path: str) -> tuple[Endpoint, str]:
    """Return the endpoint of a request and the id in its path; 404 where there is none."""
    resource, *rest = path.removeprefix("/v1/").split("/")
    if not rest:
        found, object_id = _TABLE.get((method, resource, "")), ""
    elif len(rest) < _MAX_PARTS and rest[0]:
        object_id = rest[0]
        found = _TABLE.get((method, resource, "/".join(rest)))
        found = found or _TABLE.get((method, resource, "/".join(("{id}", *rest[1:]))))
    else:
        found, object_id = None, ""
    if found is None:
        raise InvalidRequest(
            f"Unrecognized request URL ({method}: {path[:200]}). "
            "Please see https://stripe.com/docs or we can help at https://support.stripe.com/.",
            status=404,
        )
    return found, object_id
