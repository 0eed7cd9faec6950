"""Image Builder in memory; time passes by looking."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from shared.domain.failure import Failure, FailureClass
from shared.domain.image_definition import ParentSource
from shared.errors import NotFoundError, RefusedError, UnavailableError
from shared.ports import TemplateSpec, TemplateStatus
from tests.fakes.dial import Dial
from tests.fakes.gallery import FakeGallery

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@dataclass
class HeldTemplate:
    """A template as the fake Image Builder holds it."""

    spec: TemplateSpec
    status: TemplateStatus
    create_looks: int
    run_looks: int = 0
    output: str | None = None


class FakeImageBuilder(Dial):
    """Templates by name; creating takes *create_looks* looks and a run *run_looks*."""

    def __init__(self, gallery: FakeGallery, *, create_looks: int = 1, run_looks: int = 1) -> None:
        super().__init__()
        self.gallery = gallery
        self.create_looks = create_looks
        self.run_looks = run_looks
        self.now = NOON
        self.templates: dict[str, HeldTemplate] = {}
        self.created: list[str] = []
        self.runs: list[str] = []
        self.deleted: list[str] = []
        self.cancelled: list[str] = []
        self.silent: set[str] = set()
        """Templates whose run tells of no output although it distributed."""
        self._creation_failures: dict[str, Failure] = {}
        self._run_failures: dict[str, tuple[Failure, bool]] = {}

    def fail_creation(self, template: str, failure: Failure) -> None:
        """Let the creation of *template* end in *failure*."""
        self._creation_failures[template] = failure

    def fail_run(
        self, template: str, failure: Failure, *, distributed_although_failed: bool = False
    ) -> None:
        """Let the run of *template* end in *failure*, or be cancelled when that is its class."""
        self._run_failures[template] = (failure, distributed_although_failed)

    def blind_for(self, looks: int) -> None:
        """Let the next *looks* looks at any template see nothing."""
        self.fail_next(
            "status", UnavailableError("Image Builder cannot say now; look again"), times=looks
        )

    async def create(self, spec: TemplateSpec) -> None:
        self._call("create")
        if spec.name in self.templates:
            return
        if isinstance(spec.definition.source, ParentSource) and not spec.parent_id:
            raise RefusedError(f"no version of {spec.definition.source.urn} to build from")
        self.created.append(spec.name)
        self.templates[spec.name] = HeldTemplate(
            spec, TemplateStatus(provisioning_state="Creating"), self.create_looks
        )

    async def status(self, template: str) -> TemplateStatus | None:
        self._call("status")
        held = self.templates.get(template)
        if held is None:
            return None
        seen = held.status
        self._pass_time(held)
        return seen

    async def run(self, template: str) -> None:
        self._call("run")
        held = self.templates.get(template)
        if held is None:
            raise NotFoundError(f"there is no template {template} to run; create it again")
        if held.status.provisioning_state != "Succeeded" and held.create_looks > 0:
            raise UnavailableError(f"template {template} is still being created; run it later")
        if held.status.provisioning_state == "Failed":
            raise RefusedError(f"template {template} failed to be created; make another one")
        if held.status.run_state == "Running":
            return
        self.runs.append(template)
        held.run_looks = self.run_looks
        held.status = replace(
            held.status, provisioning_state="Succeeded", run_state="Running",
            run_sub_state="Building", run_started_at=self.now,
        )  # fmt: skip

    async def cancel(self, template: str) -> None:
        self._call("cancel")
        held = self.templates.get(template)
        if held is None or held.status.run_state != "Running":
            return
        self.cancelled.append(template)
        failure = Failure(
            failure_class=FailureClass.CANCELLED,
            message="Build is canceled after context cancellation",
        )
        held.run_looks = max(1, held.run_looks)
        held.status = replace(held.status, run_state="Canceling", run_sub_state="")
        self.fail_run(template, failure)

    async def output(self, template: str) -> str | None:
        self._call("output")
        held = self.templates.get(template)
        return held.output if held and template not in self.silent else None

    async def delete(self, template: str) -> None:
        self._call("delete")
        if self.templates.pop(template, None):
            self.deleted.append(template)

    def _pass_time(self, held: HeldTemplate) -> None:
        if held.status.provisioning_state == "Creating":
            held.create_looks -= 1
            if held.create_looks <= 0:
                held.status = self._created(held)
        elif held.status.run_state in ("Running", "Canceling"):
            held.run_looks -= 1
            if held.run_looks <= 0:
                held.status = self._ran(held)

    def _created(self, held: HeldTemplate) -> TemplateStatus:
        failure = self._creation_failures.get(held.spec.name)
        if failure:
            return TemplateStatus(provisioning_state="Failed", provisioning_failure=failure)
        parent_id = held.spec.parent_id
        if parent_id and parent_id not in self.gallery.held:
            lost = f"BadSharedImageVersionSource: The image version '{parent_id}' was not found."
            return TemplateStatus(
                provisioning_state="Failed",
                provisioning_failure=Failure(
                    failure_class=FailureClass.CONFIGURATION, message=lost
                ),
            )
        return TemplateStatus(
            provisioning_state="Succeeded",
            source_version=held.spec.parent_id or held.spec.source_version,
            staging_group=f"/subscriptions/s/resourceGroups/IT_{held.spec.name}",
        )

    def _ran(self, held: HeldTemplate) -> TemplateStatus:
        failure, distributed = self._run_failures.get(held.spec.name, (None, True))
        if distributed:
            held.output = self._distribute(held.spec)
        ended = replace(held.status, run_sub_state="", run_ended_at=self.now)
        if failure is None:
            return replace(ended, run_state="Succeeded")
        cancelled = failure.failure_class is FailureClass.CANCELLED
        return replace(
            ended, run_state="Canceled" if cancelled else "Failed", run_message=failure.message,
            run_failure=failure,
        )  # fmt: skip

    def _distribute(self, spec: TemplateSpec) -> str:
        image_id = self.gallery.image_id(spec.definition)
        regions = {r.name: r.replicas for r in spec.definition.regions}
        self.gallery.put(
            image_id, spec.version, regions=regions, tags=spec.tags,
            looks=self.gallery.replication_looks,
        )  # fmt: skip
        return f"{image_id}/versions/{spec.version}"
