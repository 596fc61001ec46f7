"""The order service: carts, orders and the promise made to the shopper.

Importing this package opens nothing: no loop, thread or connection, so that a fork
server can preload it.
"""
