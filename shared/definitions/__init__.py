"""What people write: image definitions with their scripts, and the fleet policy; all of it YAML."""

from shared.definitions.fleet_file import load_fleet_policy
from shared.definitions.loader import load_definitions

__all__ = ["load_definitions", "load_fleet_policy"]
