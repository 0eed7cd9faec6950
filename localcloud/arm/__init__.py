"""A simulated Azure Resource Manager: it answers as Azure does, or it refuses out loud."""

from localcloud.arm.clock import Dial
from localcloud.arm.cloud import DEFAULT_SUBSCRIPTION, Options
from localcloud.arm.server import ArmSimulator

__all__ = ["DEFAULT_SUBSCRIPTION", "ArmSimulator", "Dial", "Options"]
