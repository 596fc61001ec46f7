"""`toxiproxy install`: have the real proxy server on this machine."""

INSTALL_EXAMPLES = """\
  checkout-sim toxiproxy install     once; `run` then finds it by itself
"""


def install() -> None:
    """Find toxiproxy-server, or download the pinned release, or build it with Go.

    The download is checked against the release's own list of checksums and kept in the user's
    cache. Without it the embedded proxy server does the same work: `run --engine embedded`.
    """
    import asyncio  # noqa: PLC0415 - --help does without

    from checkout_sim.cli.streams import complain, tell  # noqa: PLC0415 - beside its use
    from checkout_sim.stack.proxy_install import install_toxiproxy  # noqa: PLC0415 - lazy

    installed = asyncio.run(install_toxiproxy(progress=complain))
    tell(f"{installed.path} ({installed.how}, sha256 {installed.sha256})")
