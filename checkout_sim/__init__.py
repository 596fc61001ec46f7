"""A checkout simulator with fault injection: scenario → plan → history → verdict."""
