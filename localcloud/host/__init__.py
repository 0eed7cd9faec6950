"""The local Functions host: `FunctionsHost` in this process, or a genuine `func` beside it."""

from localcloud.host.host import FunctionsHost, HostOptions

__all__ = ["FunctionsHost", "HostOptions"]
