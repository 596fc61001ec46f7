"""What holds for every test: how generated cases are drawn, and that Ctrl-C reaches a child.

Cases are untimed, since time says more of the machine than of the code.
"""

import os
import signal

from hypothesis import HealthCheck, settings

# In CI the same cases every time: a red build must be about the change, not about the draw.
settings.register_profile(
    "untimed",
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("untimed")

# A shell's background job ignores SIGINT, and so would every program that a test starts and
# interrupts: what is ignored is inherited across exec, a handler is not.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
