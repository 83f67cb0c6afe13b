"""Credentials: where a request carries one, what it allows, and what keeps it secret."""
