"""Reads variables and remembers every fault."""

from collections.abc import Callable, Mapping
from datetime import timedelta

from shared.settings.conversions import to_duration
from shared.settings.variables import VARIABLES

_DEFAULTS = {v.name: v.default for v in VARIABLES}
_SECRETS = {v.name for v in VARIABLES if v.secret}


class Reader:
    """Reads variables one by one and gathers what is wrong with them."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.problems: list[str] = []

    def read[T](self, name: str, convert: Callable[[str], T], blank: T) -> T:
        """Return the converted variable, or *blank* after noting what is wrong."""
        value = self._environ.get(name, "").strip() or _DEFAULTS[name]
        if value is None:
            self.problems.append(f"{name} is not set.")
            return blank
        try:
            return convert(value)
        except ValueError as error:
            shown = "wrong" if name in _SECRETS else repr(value)
            self.problems.append(f"{name} is {shown}: {error}.")
            return blank

    def text(self, name: str) -> str:
        """Return the variable as it is."""
        return self.read(name, str, "")

    def seconds(self, name: str) -> timedelta:
        """Return the variable as a duration."""
        return self.read(name, to_duration, timedelta())
