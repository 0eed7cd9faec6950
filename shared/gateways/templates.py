"""Image Builder templates as Azure wants them written and as we read them.

Fields: https://learn.microsoft.com/azure/virtual-machines/linux/image-builder-json (api-version
2025-10-01). Image Builder refuses fields it does not know.
"""

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from shared.domain.failure import Failure, FailureClass, classify
from shared.domain.identifiers import normalise_id
from shared.domain.image_definition import Customizer, CustomizerKind, ParentSource
from shared.errors import RefusedError, UnavailableError
from shared.gateways.words import moment, word
from shared.ports import TemplateSpec, TemplateStatus
from shared.settings import Settings

if TYPE_CHECKING:
    from azure.mgmt.imagebuilder.models import ImageTemplate, ImageTemplateLastRunStatus

DELIMITER = "ASSAY_SCRIPT_END"
"""Ends a shell script inside its here-document."""

_ENDED_BADLY = {"Failed", "PartiallySucceeded", "Canceled"}


def template_body(spec: TemplateSpec, image_id: str, settings: Settings) -> dict[str, Any]:
    """Return the template of *spec*, which distributes one version of *image_id*.

    Raises RefusedError when a shell script holds the line that ends a script.
    """
    return {
        "location": settings.location,
        "tags": {"assay-build": spec.build_id, "assay-attempt": str(spec.attempt)},
        "identity": {
            "type": "UserAssigned",
            "userAssignedIdentities": {settings.build_identity_id: {}},
        },
        "properties": {
            "source": _source(spec),
            "customize": [_customizer(c) for c in spec.customizers],
            "distribute": [_distribution(spec, image_id)],
            "buildTimeoutInMinutes": spec.definition.build_timeout_minutes,
            "vmProfile": {"vmSize": spec.definition.build_vm_size},
        },
    }


def _source(spec: TemplateSpec) -> dict[str, str]:
    if spec.parent_id:
        return {"type": "SharedImageVersion", "imageVersionId": spec.parent_id}
    source = spec.definition.source
    if isinstance(source, ParentSource):
        raise RefusedError(
            f"template {spec.name} has no version of {source.urn} to build from; the definition "
            "was changed while the build was under way: start it again"
        )
    return {
        "type": "PlatformImage",
        "publisher": source.publisher,
        "offer": source.offer,
        "sku": source.sku,
        "version": spec.source_version,
    }


def _distribution(spec: TemplateSpec, image_id: str) -> dict[str, Any]:
    return {
        "type": "SharedImage",
        "galleryImageId": f"{image_id}/versions/{spec.version}",
        "runOutputName": spec.name,
        "excludeFromLatest": True,
        "artifactTags": spec.tags,
        "targetRegions": [
            {"name": r.name, "replicaCount": r.replicas, "storageAccountType": "Standard_LRS"}
            for r in spec.definition.regions
        ],
    }


def _customizer(customizer: Customizer) -> dict[str, Any]:
    name, kind = customizer.name, customizer.kind
    if kind is CustomizerKind.SHELL:
        return {"type": "Shell", "name": name, "inline": [_as_root(customizer)]}
    if kind is CustomizerKind.POWERSHELL:
        return {
            "type": "PowerShell",
            "name": name,
            "inline": customizer.script.splitlines(),
            "runElevated": True,
            "runAsSystem": True,
        }
    if kind is CustomizerKind.WINDOWS_RESTART:
        return {"type": "WindowsRestart", "name": name}
    return {"type": "WindowsUpdate", "name": name}


def _as_root(customizer: Customizer) -> str:
    # Image Builder runs inline lines one after the other with sh as a plain user. The script is
    # written to a file whole, so that its own here-documents, shebang and bash are kept.
    if DELIMITER in (line.strip() for line in customizer.script.splitlines()):
        raise RefusedError(
            f"the script of customizer {customizer.name} holds a line {DELIMITER}, which would "
            "end it early; use another word there"
        )
    path = f"/tmp/assay-{re.sub(r'[^A-Za-z0-9-]', '-', customizer.name)}.sh"  # noqa: S108 - guest
    script = customizer.script if customizer.script.endswith("\n") else f"{customizer.script}\n"
    return f"cat > {path} <<'{DELIMITER}'\n{script}{DELIMITER}\nchmod +x {path}\nsudo bash {path}"


def read_status(template: "ImageTemplate") -> TemplateStatus:
    """Return what *template* says of itself; raises UnavailableError when that is nothing."""
    properties = template.properties
    if properties is None:
        raise UnavailableError(f"Azure described template {template.name} without properties")
    run = properties.last_run_status
    state = word(properties.provisioning_state)
    failure = None
    if state == "Failed":
        error = properties.provisioning_error
        code = word(error.provisioning_error_code) if error else ""
        failure = classify(code, (error.message if error else "") or "Azure gave no reason")
    status = TemplateStatus(
        provisioning_state=state,
        provisioning_failure=failure,
        source_version=_exact(state, str(properties.source.get("exactVersion") or "")),
        staging_group=properties.exact_staging_resource_group or "",
    )
    return status if run is None else _with_run(status, run)


def _with_run(status: TemplateStatus, run: "ImageTemplateLastRunStatus") -> TemplateStatus:
    state, message = word(run.run_state), run.message or ""
    return replace(
        status,
        run_state=state,
        run_sub_state=word(run.run_sub_state),
        run_message=message,
        run_started_at=moment(run.start_time),
        run_ended_at=moment(run.end_time),
        run_failure=_run_failure(state, message) if state in _ENDED_BADLY else None,
    )


def _run_failure(state: str, message: str) -> Failure:
    failure = classify("", message or f"the run ended as {state} and Azure gave no reason")
    if state == "Canceled":
        return Failure(failure_class=FailureClass.CANCELLED, message=failure.message)
    return failure


def _exact(state: str, version: str) -> str:
    # Until the template is created Azure repeats what it was asked for, be it "latest".
    if state == "Creating" or version == "latest":
        return ""
    return normalise_id(version) if version.startswith("/") else version
