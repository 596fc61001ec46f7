"""The chassis: plumbing every service stands on, and no word of any domain.

Importing any module here creates no loop, thread, connection or SSL context, so that a fork
server may preload them all (`main(environ)` of a service does the work).
"""
