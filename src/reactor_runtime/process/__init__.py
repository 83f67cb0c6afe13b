"""The process around the worker: its standard descriptors, its forked children, and how it goes."""
