"""How we read what Azure itself was recorded to answer."""

import json
from datetime import UTC, datetime

from azure.mgmt.compute.models import GalleryImageVersion
from azure.mgmt.imagebuilder.models import ImageTemplate

from shared.domain.failure import FailureClass
from shared.gateways.gallery import read_version
from shared.gateways.templates import read_status
from shared.ports import TemplateStatus
from tests.conformance.samples import load, samples_folder

EXAMPLE = (
    "specification/compute/resource-manager/Microsoft.Compute/GalleryRP/stable/2023-07-03/examples"
    "/galleryExamples/GalleryImageVersion_Get_WithReplicationStatus.json"
)


def _statuses(name: str) -> list[TemplateStatus]:
    answers = [i.answer for i in load(name) if i.resource_path.endswith("/imageTemplates")]
    return [read_status(ImageTemplate(body)) for body in answers if body]


def test_a_cancelled_run_was_created_then_running_then_canceling_without_an_end() -> None:
    creating, created, running, canceling = _statuses("aib-cancel.json")

    assert (creating.provisioning_state, creating.source_version) == ("Creating", "")
    assert (created.provisioning_state, created.run_state) == ("Succeeded", "")
    assert created.source_version == "18.04.202401161"
    assert (running.run_state, running.run_sub_state) == ("Running", "Building")
    assert running.run_started_at == datetime(2024, 5, 14, 8, 39, 55, 679639, tzinfo=UTC)
    assert running.run_ended_at is None
    assert (canceling.run_state, canceling.run_sub_state) == ("Canceling", "")
    assert canceling.run_message == "Canceling image build"
    assert canceling.run_failure is None


def test_a_template_that_could_not_be_made_lacked_access() -> None:
    *_, failed = _statuses("aib-create-failed.json")

    assert failed.provisioning_state == "Failed"
    assert failed.provisioning_failure is not None
    assert failed.provisioning_failure.failure_class is FailureClass.ACCESS
    assert failed.provisioning_failure.message.startswith("Other: Not authorized to access")


def test_region_names_of_a_version_are_brought_to_one_spelling() -> None:
    example = json.loads((samples_folder() / EXAMPLE).read_text(encoding="utf-8"))

    version = read_version(GalleryImageVersion(example["responses"]["200"]["body"]), "id")

    assert version.regions == {"westus": 1, "eastus": 2}
    assert version.replicated == {"westus", "eastus"}
    assert version.failed_regions == frozenset()
    assert version.excluded_from_latest is False
