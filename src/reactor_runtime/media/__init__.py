"""Frames on their way from the author's thread to encoded pictures, and media from clients to the author.

Read in this order: `frames` (what `emit` takes), `i420` (the one conversion), `buckets` and `pacing`
(sans-IO), `playout` (their thread), `encoders/` and `encoding` (one encode, many sinks), `plane` (all of it
for one session), `inputs` (the other direction). Sound: `samples` (what `emit` takes), `resampling`,
`audio_clock` and `audio_queue` (sans-IO), `steps` (which sound belongs to which picture), `sound` (all of it
for one session), `audio_input` (the other direction).
"""
