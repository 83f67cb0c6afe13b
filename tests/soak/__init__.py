"""Long runs that measure; `scripts/soak` starts them, `scripts/test` does not."""
