"""The dial every fake has: make the next calls of one method fail."""

from collections import defaultdict


class Dial:
    """Base of the fakes of Azure."""

    def __init__(self) -> None:
        self._failures: defaultdict[str, list[Exception]] = defaultdict(list)

    def fail_next(self, method: str, error: Exception, *, times: int = 1) -> None:
        """Let the next *times* calls of *method* raise *error* and do nothing."""
        self._failures[method].extend([error] * times)

    def _call(self, method: str) -> None:
        if self._failures[method]:
            raise self._failures[method].pop(0)
