"""Where author code runs, behind one port (`port.py`): `thread` is in this process."""
