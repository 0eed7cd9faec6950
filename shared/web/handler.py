"""What a handler of the API is."""

from collections.abc import Awaitable, Callable

from shared.web.app import App
from shared.web.exchange import ApiRequest, ApiResponse

type Handler = Callable[[ApiRequest, App], Awaitable[ApiResponse]]
"""Answers one request over the running app; raises errors of `shared.errors`."""
