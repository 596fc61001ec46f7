"""`python -m services.gateway`: serve until SIGTERM. Importing this module starts nothing."""

import sys
from collections.abc import Mapping

from ..chassis.serve import serve
from .app import build
from .settings import GatewaySettings


def main(environ: Mapping[str, str] | None = None) -> int:
    """Serve the gateway as the environment says and return the exit code."""
    return serve(build, GatewaySettings.from_environ(environ))


if __name__ == "__main__":
    sys.exit(main())
