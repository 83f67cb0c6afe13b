"""Wires. A wire takes encoded media and messages and knows no model; `port` is what every engine offers."""
