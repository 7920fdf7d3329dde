"""How often one key may ask. A bucket of tokens for each key, filled all the time, a second's worth deep."""

import time


class Rate:
    """`Rate(2000).wait_of(key)` is 0 when the key may ask now, else the seconds after which it may. Threads may share it:
    a race lets one request through too many.
    """

    def __init__(self, a_second: float) -> None:
        self._a_second = a_second
        self._left: dict[object, tuple[float, float]] = {}

    def wait_of(self, key: object, now: float | None = None) -> float:
        now = time.monotonic() if now is None else now
        left, at = self._left.get(key, (self._a_second, now))
        left = min(self._a_second, left + (now - at) * self._a_second)
        if left < 1:
            self._left[key] = (left, now)
            return (1 - left) / self._a_second
        if len(self._left) >= 10_000:
            self._left.clear()
        self._left[key] = (left - 1, now)
        return 0.0
