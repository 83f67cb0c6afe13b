"""Many users, many workers: the waiting line, the leases and the machines they are for.

`broker` decides (sans-IO), `stores` remember, `engines` start and stop workers, `gateway` is what clients
reach. Nothing here touches media.
"""
