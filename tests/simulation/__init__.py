"""The deterministic simulation: the whole bot in one thread, under a clock that only we move, with faults by seed."""
