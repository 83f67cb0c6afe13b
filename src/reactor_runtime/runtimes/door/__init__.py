"""What a connection and a request meet before the routes: bytes, bounds, deadlines, addresses. Pure ASGI."""
