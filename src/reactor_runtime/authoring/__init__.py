"""What an author touches, and what the runtime reads of it.

The class: `model` (VideoModel), `decorator` (@model), `tracks`, `command` (@command) with `schema`
(annotations to JSON Schema) and `validation` (what a client sent). A running session: `context` (get_ctx),
`active` (whose session a thread is in), `profiler`, `media`. Loading: `building`, `binding` (weights). To
clients: `capabilities`. What the rooms outside must offer: `ports`.
"""
