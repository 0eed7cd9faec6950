"""Settings: one frozen object, read once from the environment; every fault named at once."""

from shared.settings.environment import settings_from_environ
from shared.settings.model import Notify, Settings, Storage
from shared.settings.variables import VARIABLES, Variable

__all__ = [
    "VARIABLES",
    "Notify",
    "Settings",
    "Storage",
    "Variable",
    "settings_from_environ",
]
