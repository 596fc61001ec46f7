"""How the tool speaks to services: shoppers through their link, ledgers on direct ports."""
