"""Words on the wire, sans-IO: what clients send and what they are told. No sockets, no threads."""
