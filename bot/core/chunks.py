"""How many rows one transaction takes: as many as keep the writer busy for a moment only, since others wait for it."""

FEWEST, FIRST = 50, 60


class Chunks:
    """Learns from each chunk: fewer rows after one that took too long, up to twice as many after a quick one."""

    def __init__(self, hold: float, most: int) -> None:
        self._hold = hold
        self._most = most
        self.size = FIRST

    def took(self, rows: int, seconds: float) -> None:
        """So many rows kept the writer for so many seconds."""
        if rows:
            fits = int(rows * self._hold / max(seconds, 1e-6))
            self.size = max(FEWEST, min(self._most, fits, 2 * self.size))
