"""Refusals in the shape Azure Resource Manager gives them."""

from http import HTTPStatus
from typing import Any

from localcloud.errors import LocalCloudError


class ArmError(LocalCloudError):
    """A request that Azure would refuse: HTTP status, error code and message."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> None:
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers or {}
        self.more = more
        super().__init__(f"{code}: {message}")

    def body(self) -> dict[str, Any]:
        """The JSON body: `{"error": {"code", "message", ...}}`."""
        return {"error": {"code": self.code, "message": self.message, **self.more}}


class SimulatorStateError(LocalCloudError):
    """The simulator was asked, through its Python side, for something it does not hold."""


def resource_not_found(resource_type: str, name: str, group: str) -> ArmError:
    """The 404 that Resource Manager itself gives, in its recorded words."""
    return ArmError(
        HTTPStatus.NOT_FOUND,
        "ResourceNotFound",
        f"The Resource '{_typed_name(resource_type, name)}' under resource group '{group}' was "
        "not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix",
        headers={"x-ms-failure-cause": "gateway"},
    )


def parent_not_found(parent: str) -> ArmError:
    """The 404 for a nested resource whose parent is missing."""
    return ArmError(
        HTTPStatus.NOT_FOUND,
        "ParentResourceNotFound",
        "Can not perform requested operation on nested resource. "
        f"Parent resource '{parent}' not found.",
        headers={"x-ms-failure-cause": "gateway"},
    )


def authorization_failed(client: str, action: str, scope: str) -> ArmError:
    """The 403 for a caller without the right to do this there."""
    return ArmError(
        HTTPStatus.FORBIDDEN,
        "AuthorizationFailed",
        f"The client '{client}' with object id '{client}' does not have authorization to perform "
        f"action '{action}' over scope '{scope}' or the scope is invalid. If access was recently "
        "granted, please refresh your credentials.",
        headers={"x-ms-failure-cause": "gateway"},
    )


def bad_request(code: str, message: str, **more: Any) -> ArmError:
    """A 400 with the given code."""
    return ArmError(HTTPStatus.BAD_REQUEST, code, message, **more)


def conflict(code: str, message: str, **more: Any) -> ArmError:
    """A 409 with the given code."""
    return ArmError(HTTPStatus.CONFLICT, code, message, **more)


def _typed_name(resource_type: str, name: str) -> str:
    provider, *types = resource_type.split("/")
    pairs = zip(types, name.split("/"), strict=True)
    return "/".join([provider, *(part for pair in pairs for part in pair)])
