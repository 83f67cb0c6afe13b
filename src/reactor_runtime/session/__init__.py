"""One user's visit: the state table (`states`, `life`, sans-IO), the threads of the model (`host`), one
`session` and what it carries. Nothing here knows HTTP or WebRTC."""
