"""What clients of a fleet reach: the surface of one worker, with a waiting room in front."""
