"""Azure region names, which come short ("westeurope") and long ("West Europe")."""

from localcloud.arm.errors import bad_request

# https://learn.microsoft.com/azure/reliability/regions-list
_LONG_NAMES = (
    "West Europe",
    "North Europe",
    "Sweden Central",
    "East US",
    "East US 2",
    "Central US",
    "West US",
    "West US 2",
    "West US 3",
    "West Central US",
    "North Central US",
    "South Central US",
    "UK South",
    "UK West",
    "France Central",
    "Germany West Central",
    "Switzerland North",
    "Norway East",
    "Southeast Asia",
    "East Asia",
    "Australia East",
    "Japan East",
    "Central India",
    "Canada Central",
    "Brazil South",
    "South Africa North",
)
_LONG_BY_SHORT = {name.replace(" ", "").lower(): name for name in _LONG_NAMES}


def short_name(name: str) -> str:
    """`"West Europe"` and `"westeurope"` as `"westeurope"`; unknown names only lose blanks."""
    return name.replace(" ", "").lower()


def long_name(name: str) -> str:
    """The display name of a region, as Compute Gallery answers it; raises ArmError if unknown."""
    require_region(name)
    return _LONG_BY_SHORT[short_name(name)]


def require_region(name: object) -> str:
    """The short name of a known region; raises ArmError (400) for anything else."""
    if not isinstance(name, str) or not name:
        raise bad_request("LocationRequired", "The location property is required for this request.")
    short = short_name(name)
    if short not in _LONG_BY_SHORT:
        raise bad_request(
            "LocationNotAvailableForResourceType",
            f"The provided location '{name}' is not available for this resource type. "
            f"List of available regions for the resource type is '{','.join(_LONG_BY_SHORT)}'.",
        )
    return short
