"""Azure Image Builder: one template per attempt, started and looked at, never waited for."""

from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING

from azure.core.exceptions import HttpResponseError

from shared.domain.identifiers import normalise_id
from shared.gateways.clients import AzureClients
from shared.gateways.errors import code_and_message, found, translated
from shared.gateways.gallery import gallery_image_id
from shared.gateways.templates import read_status, template_body
from shared.ports import TemplateSpec, TemplateStatus
from shared.settings import Settings

if TYPE_CHECKING:
    from azure.mgmt.imagebuilder.aio.operations import VirtualMachineImageTemplatesOperations


class ImageBuilderGateway:
    """Image Builder templates in our resource group."""

    def __init__(self, clients: AzureClients, settings: Settings) -> None:
        self._clients = clients
        self._settings = settings
        self._group = settings.resource_group

    async def create(self, spec: TemplateSpec) -> None:
        """Ask for the template; no error when it exists already.

        Templates cannot be changed, so Azure refuses a second request for one that is there.
        Raises RefusedError when a script cannot be sent; see `template_body`.
        """
        body = template_body(
            spec, gallery_image_id(self._settings, spec.definition), self._settings
        )
        with translated(f"create the Image Builder template {spec.name}"):
            try:
                await self._templates.begin_create_or_update(
                    self._group, spec.name, body, polling=False
                )
            except HttpResponseError as error:
                if not await self._is_so(error, spec.name, _exists):
                    raise

    async def status(self, template: str) -> TemplateStatus | None:
        """Read a template; None when it does not exist.

        Raises UnavailableError while Image Builder is blind, which may last half an hour.
        """
        answer = await found(
            self._templates.get(self._group, template),
            f"read the Image Builder template {template}",
        )
        return read_status(answer) if answer else None

    async def run(self, template: str) -> None:
        """Ask for the run; no error when it is running already.

        A gateway timeout may hide a run that did start, so the request is never repeated here.
        """
        with translated(f"start the run of the Image Builder template {template}"):
            try:
                await self._templates.begin_run(self._group, template, polling=False, retry_total=0)
            except HttpResponseError as error:
                if not await self._is_so(error, template, _runs):
                    raise

    async def cancel(self, template: str) -> None:
        """Ask for the end of the run; no error when none is under way.

        Azure refuses a template that is gone or has no run, which is what is wanted.
        """
        with translated(f"cancel the run of the Image Builder template {template}"):
            try:
                await self._templates.begin_cancel(
                    self._group, template, polling=False, retry_total=0
                )
            except HttpResponseError as error:
                gone = error.status_code == HTTPStatus.NOT_FOUND
                if not gone and not await self._is_so(error, template, _rests):
                    raise

    async def output(self, template: str) -> str | None:
        """Return the normalised id of the version the run distributed; None without one."""
        answer = await found(
            self._templates.get_run_output(self._group, template, template),
            f"read the output of the Image Builder template {template}",
        )
        if answer is None or answer.properties is None or not answer.properties.artifact_id:
            return None
        return normalise_id(answer.properties.artifact_id)

    async def delete(self, template: str) -> None:
        """Ask for the template's deletion; no error when it is gone or going."""
        with translated(f"delete the Image Builder template {template}"):
            try:
                await self._templates.begin_delete(self._group, template, polling=False)
            except HttpResponseError as error:
                gone = error.status_code == HTTPStatus.NOT_FOUND
                if not gone and not await self._is_so(error, template, _goes):
                    raise

    @property
    def _templates(self) -> "VirtualMachineImageTemplatesOperations":
        return self._clients.image_builder().virtual_machine_image_templates

    async def _is_so(
        self,
        error: HttpResponseError,
        template: str,
        wanted: Callable[[TemplateStatus | None], bool],
    ) -> bool:
        """Tell whether *error* is a conflict with what was asked for being so already."""
        conflict = error.status_code == HTTPStatus.CONFLICT or (
            code_and_message(error)[0] == "OperationNotAllowed"
        )
        return conflict and wanted(await self.status(template))


def _exists(status: TemplateStatus | None) -> bool:
    return status is not None and status.provisioning_state != "Deleting"


def _runs(status: TemplateStatus | None) -> bool:
    return status is not None and status.run_state == "Running"


def _rests(status: TemplateStatus | None) -> bool:
    return status is None or status.run_state != "Running"


def _goes(status: TemplateStatus | None) -> bool:
    return status is None or status.provisioning_state == "Deleting"
