"""One slot: it admits a session, carries out what `session.life` decides, and keeps journal and metrics.

Nothing here knows an HTTP framework; HTTP, a fleet and other front doors call the same methods.
"""
