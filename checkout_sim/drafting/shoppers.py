"""The checkouts of a stretch as `load` and `shoppers`.

Pure: takes purchases, gives what a scenario file says of them. What most have in common is the
load's; the rest is said of single checkouts.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from checkout_sim.drafting.rhythm import Rhythm
from checkout_sim.drafting.stretch import Purchase, Stretch
from checkout_sim.drafting.yaml_text import flow
from checkout_sim.model.wire import SHOPPER_PATIENCE_MS


def in_turn(purchases: Sequence[Purchase]) -> bool:
    """Return whether each shopper came when the one before was done."""
    return all(before.ended_ms <= after.began_ms for before, after in pairwise(purchases))


def load_of(purchases: Sequence[Purchase], rhythm: Rhythm, *, keep_times: bool) -> dict[str, Any]:
    """Return `load:`; with `keep_times` each checkout begins when it did, else in turn."""
    load: dict[str, Any] = {"checkouts": len(purchases)}
    if keep_times and len(purchases) > 1:
        load["at"] = [f"{rhythm.ms(one.began_ms)}ms" for one in purchases]
    load["cart"] = _usual(purchases, cart_of)
    load["card"] = _usual(purchases, card_of)
    return load


def shoppers_of(stretch: Stretch, purchases: Sequence[Purchase], *, time_scale: float) -> list[Any]:
    """Return `shoppers:`, one entry for each checkout that differs from the load."""
    usual_cart, usual_card = _usual(purchases, cart_of), _usual(purchases, card_of)
    usual_ms = round(SHOPPER_PATIENCE_MS * time_scale)
    found: list[Any] = []
    for number, one in enumerate(purchases, start=1):
        own: dict[str, Any] = {"checkouts": number}
        if card_of(one) != usual_card:
            own["card"] = card_of(one)
        if cart_of(one) != usual_cart:
            own["cart"] = cart_of(one)
        patience_ms = int(one.shopper["patience_ms"])
        if patience_ms != usual_ms:
            own["patience"] = f"{patience_ms}ms"
        deed = _do(one.shopper["behaviour"], number, stretch)
        if deed:
            own["do"] = deed
        if len(own) > 1:
            found.append(own)
    return found


def card_of(purchase: Purchase) -> str:
    """Return the card it paid with."""
    return str(purchase.shopper["card"])


def cart_of(purchase: Purchase) -> list[dict[str, Any]]:
    """Return its cart as a scenario file writes it; money is quoted."""
    return [
        {
            "product": str(line["product"]),
            "quantity": int(line["quantity"]),
            "price": f"{int(line['price_minor']) // 100}.{int(line['price_minor']) % 100:02d}",
        }
        for line in purchase.shopper["cart"]
    ]


def said_of(purchase: Purchase) -> str:
    """Return a checkout in a few words."""
    cart = ", ".join(f"{line['product']} {line['quantity']}" for line in cart_of(purchase))
    return f"checkout {purchase.number}: {cart}, {card_of(purchase)}"


def _usual(purchases: Sequence[Purchase], about: Any) -> Any:
    written = Counter(flow(about(one)) for one in purchases)
    usual = written.most_common(1)[0][0]
    return next(about(one) for one in purchases if flow(about(one)) == usual)


def _do(behaviour: Mapping[str, Any], number: int, stretch: Stretch) -> dict[str, Any]:
    match behaviour.get("is"):
        case "Retry":
            retry = {"times": behaviour["times"], "wait": _ms(behaviour, "wait_ms")}
            return {"retry": {**retry, "key": behaviour["key"]}}
        case "SubmitTwice":
            twice: dict[str, Any] = {"gap": _ms(behaviour, "gap_ms"), "key": behaviour["key"]}
            if behaviour.get("card"):
                twice["card"] = behaviour["card"]
            return {"submit_twice": twice}
        case "WalkAway":
            return {"walk_away": {"after": _ms(behaviour, "after_ms")}}
        case "CancelAt":
            return {"cancel": {"at": _moment(behaviour["at"], number, stretch)}}
        case _:
            return {}


def _moment(at: Mapping[str, Any], number: int, stretch: Stretch) -> Any:
    """Return the moment of a cancel, which is about its own checkout or the clock."""
    if at.get("is") == "OnEvent":
        moment: dict[str, Any] = {"event": at["event"], "checkout": number}
        if at.get("nth", 1) > 1:
            moment["nth"] = at["nth"]
        if at.get("then_ms"):
            moment["then"] = _ms(at, "then_ms")
        return moment
    if at.get("is") == "AfterCheckouts":
        return {"after_checkouts": min(int(at["count"]), len(stretch.purchases))}
    return {"event": "order.created", "checkout": number}


def _ms(said: Mapping[str, Any], name: str) -> str:
    return f"{int(said[name])}ms"
