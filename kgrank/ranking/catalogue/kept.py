"""What was computed for persons in categories, kept for the next question about both, in bounded room."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Kept(Generic[Value]):
    """Values by person and category; the longest unused go first. Persons are told apart by identity.

    Args:
        room: Bytes that the values take at most.
    """

    def __init__(self, room: int) -> None:
        self.room = room
        self._entries: OrderedDict[tuple[int, str], tuple[object, Value, int]] = OrderedDict()
        self._taken = 0
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, person: object, category: str) -> Value | None:
        """What is kept of a person in a category."""
        with self._lock:
            entry = self._entries.get((id(person), category))
            if entry is None:
                return None
            self._entries.move_to_end((id(person), category))
            return entry[1]

    def put(self, person: object, category: str, value: Value, size: int) -> None:
        """Keeps a value of so many bytes, and gives up others where there is no room."""
        with self._lock:
            before = self._entries.pop((id(person), category), None)
            self._taken += size - (before[2] if before else 0)
            # With the person, so that the next one cannot have the same identity.
            self._entries[id(person), category] = person, value, size
            while self._taken > self.room:
                self._taken -= self._entries.popitem(last=False)[1][2]
