"""A draw that looks random and is the same every time, in one pass and little memory."""

import hashlib
import heapq
from typing import Generic, TypeVar

T = TypeVar("T")


class Draw(Generic[T]):
    """Keeps those `size` of the offered items whose keys have the lowest hashes."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.num_offered = 0
        # The lowest hash is the greatest here, so that the first of the heap is the next to go.
        # A later item of an equal key is lower; numbers differ, so items are never compared.
        self._heap: list[tuple[int, int, T]] = []

    def offer(self, key: str, item: T) -> None:
        """Let `item` take part; equal keys are drawn in the order they came."""
        digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
        entry = (-int.from_bytes(digest[:8], "big"), -self.num_offered, item)
        self.num_offered += 1
        if len(self._heap) < self.size:
            heapq.heappush(self._heap, entry)
        elif self._heap and entry[:2] > self._heap[0][:2]:
            heapq.heapreplace(self._heap, entry)

    def drawn(self) -> list[T]:
        """Return the kept items, lowest hash first."""
        return [item for _, _, item in sorted(self._heap, key=lambda entry: entry[:2])[::-1]]
