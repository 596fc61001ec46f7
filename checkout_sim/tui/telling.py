"""Orders in words to take away: a curl line, and the command that tells the rest."""

from checkout_sim.board.rows import Row
from checkout_sim.board.session import Session


def curl_of(row: Row) -> str:
    """Return the request that looks an order up, on the port `checkout-sim up` gives it."""
    return f"curl -s http://127.0.0.1:3000/order/{row.order_id or '<no order was created>'}"


def explain_line(session: Session, row: Row) -> str:
    """Return the command line that tells an order's story from its run's folder."""
    folder = session.stretch.folder if session.stretch is not None else "<run>"
    return f"checkout-sim explain {folder} {row.order_id or row.number}"


def replay_line(session: Session) -> str:
    """Return the command line that runs a run's plan again."""
    folder = session.stretch.folder if session.stretch is not None else "<run>"
    return f"checkout-sim replay {folder}"
