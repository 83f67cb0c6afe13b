"""What a person reads who has just started a server."""
