"""Makes faults real, and undoes them: on links, on processes, at the gateway."""
