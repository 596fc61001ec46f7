"""`python -m checkout_sim` and the `checkout-sim` command: hand over to the command line."""

import sys


def main() -> None:
    """Run the command line and end the process with its exit code."""
    try:
        from checkout_sim.cli.boundary import guarded  # noqa: PLC0415 - Ctrl-C may come this early
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(guarded(sys.argv[1:]))


if __name__ == "__main__":
    main()
