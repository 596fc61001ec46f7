"""How generated cases are drawn: untimed, since time says more of the machine than of the code."""

import os

from hypothesis import HealthCheck, settings

# In CI the same cases every time: a red build must be about the change, not about the draw.
settings.register_profile(
    "untimed",
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("untimed")
