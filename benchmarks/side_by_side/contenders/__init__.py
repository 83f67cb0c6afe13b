"""One folder for each contender: the same model, written as its users would write it."""
