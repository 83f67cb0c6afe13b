"""What a process offers: `http` (routes, signalling, the page)."""
