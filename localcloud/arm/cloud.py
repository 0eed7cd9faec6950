"""Everything the simulated cloud holds, in one object."""

from dataclasses import dataclass
from datetime import datetime

from localcloud.arm.clock import Clock, Dial
from localcloud.arm.delivery import EventGrid
from localcloud.arm.faults import FaultBook
from localcloud.arm.graph_limits import QUERIES, GraphLimits
from localcloud.arm.guest_commands import GuestRules
from localcloud.arm.guest_configuration import GuestConfiguration
from localcloud.arm.ids import Guids
from localcloud.arm.marketplace import Marketplace
from localcloud.arm.operations import Operations
from localcloud.arm.policy import PolicyStates
from localcloud.arm.scheduler import Scheduler
from localcloud.arm.seed import fill
from localcloud.arm.store import Store
from localcloud.arm.tenant import Tenant
from localcloud.arm.traffic import TrafficLog

DEFAULT_SUBSCRIPTION = "00000000-0000-4000-8000-000000000001"
# Recorded in 2024: operation URLs carry a certificate chain and a signature, 3 KB in all.
_CERTIFICATE_CHARS, _SIGNATURE_CHARS, _HASH_CHARS = 2451, 342, 43
_TICKS_PER_SECOND, _SECONDS_BEFORE_1970 = 10_000_000, 62_135_596_800


@dataclass(frozen=True)
class Options:
    """How a simulated cloud is set up."""

    subscriptions: tuple[str, ...] = (DEFAULT_SUBSCRIPTION,)
    dial: Dial = Dial.IMMEDIATE
    factor: float = 1.0
    start: datetime | None = None
    seed: int = 1
    page_size: int = 200
    signed_urls: bool = True
    graph_queries: int = QUERIES
    identity_header: str = "local-identity-header"


class Cloud:
    """One simulated cloud; two of them share nothing."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.clock = Clock(options.dial, factor=options.factor, start=options.start)
        self.scheduler = Scheduler(self.clock)
        self.events = EventGrid(self)
        self.traffic = TrafficLog()
        self._fill()

    def _fill(self) -> None:
        self.guids = Guids(self.options.seed)
        self.store = Store()
        self.tenant = Tenant(self.options.subscriptions)
        self.graph = GraphLimits(self.clock, self.options.graph_queries)
        self.guest_configuration = GuestConfiguration(self)
        self.operations = Operations(self)
        self.faults = FaultBook(self.clock, self.options.seed)
        self.guest_rules = GuestRules()
        self.policy_states = PolicyStates(self)
        self.marketplace = Marketplace()
        fill(self.marketplace)

    def reset(self) -> None:
        """Back to the start, except for the time and who is subscribed to events."""
        self.scheduler.clear()
        self.events.clear()
        self.traffic.clear()
        self._fill()

    def url_signature(self) -> str:
        """The query Azure signs its operation URLs with; follow such URLs, never rebuild them."""
        if not self.options.signed_urls:
            return ""
        seconds = self.clock.now().timestamp() + _SECONDS_BEFORE_1970
        return (
            f"&t={int(seconds * _TICKS_PER_SECOND)}"
            f"&c={self.guids.text(_CERTIFICATE_CHARS)}"
            f"&s={self.guids.text(_SIGNATURE_CHARS)}"
            f"&h={self.guids.text(_HASH_CHARS)}"
        )
