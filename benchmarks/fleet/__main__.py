"""`benchmarks/run-fleet`"""

from __future__ import annotations

from .grants import GRANTS, TICKETS, WORKERS, measure
from .queueing import Load, by_recursion, mean_wait, people_of, summed

PEOPLE = 1_000_000
SESSION_S = 180.0


def main() -> None:
    grants = measure()
    print(f"{GRANTS} grants with {TICKETS} tickets and {WORKERS} workers:")
    print(f"  p50 {grants.p50:.3f} ms, p99 {grants.p99:.3f} ms, worst {grants.worst:.2f} ms")
    print(f"  the process has grown by {grants.grown_mib:.0f} MiB")
    print(f"\nSessions of {SESSION_S:g} s. Mean wait in s (M/M/c), who waits at all, 95th percentile in s:")
    for workers in (1, 2, 4, 8, 16):
        cells = []
        for share in (0.5, 0.7, 0.8, 0.9):
            load = Load(share * workers / SESSION_S, SESSION_S, workers)
            waits = summed(by_recursion(load, people_of(load, PEOPLE)))
            theory = mean_wait(load)
            cells.append(f"{share:.0%}: {waits.mean:.1f} ({theory:.1f}) {waits.waited:.0%} {waits.p95:.0f}")
        print(f"{workers:>3} workers | " + " | ".join(cells), flush=True)


if __name__ == "__main__":
    main()
