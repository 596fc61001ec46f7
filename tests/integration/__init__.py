"""Real parts together: processes, sockets, servers."""
