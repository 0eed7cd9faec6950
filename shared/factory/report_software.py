"""The part of verification that keeps what the guest says is installed in it."""

from dataclasses import dataclass, replace

from shared.domain.build import Build
from shared.domain.evidence import SOFTWARE as DOCUMENT
from shared.domain.evidence import canonical, sha256
from shared.domain.image_definition import ImageDefinition, Severity
from shared.domain.software import SoftwareReport
from shared.domain.verification import SOFTWARE, CheckResult, Outcome, Verification
from shared.factory.gather_software import gather_software, start_software_report
from shared.ports import Evidence, ImageVersions, VerificationVms


@dataclass(frozen=True, slots=True, kw_only=True)
class SoftwareReporter:
    """Asks the guest of a candidate what it holds, and keeps the answer."""

    build: Build
    definition: ImageDefinition
    vms: VerificationVms
    image_versions: ImageVersions
    evidence: Evidence

    async def start(self, vm_name: str) -> None:
        """Let the guest list its software while the checks run."""
        await start_software_report(self.vms, vm_name, self.definition)

    async def read(self, verification: Verification, late: str) -> CheckResult | None:
        """Keep the report and return the result `software`; None while it is still to come.

        *late* says why nothing more can be waited for; empty while it can. What cannot be reported
        stops the release like a check, unless checks that failed do so already: their repairs must
        not be kept from being tried.
        """
        try:
            report = await gather_software(self.vms, verification.vm_name, self.definition)
        except ValueError as error:
            return _unreported(verification, str(error))
        if report is None:
            return _unreported(verification, late) if late else None
        await self._keep(report)
        detail = f"{len(report.packages) + len(report.hotfixes)} packages and updates"
        return CheckResult(name=SOFTWARE, outcome=Outcome.PASSED, detail=detail)

    async def _keep(self, report: SoftwareReport) -> None:
        """Write the document first, its digest after: no digest may lack its document."""
        version, content = self.build.attempt.version, canonical(report.document())
        await self.evidence.put(self.build.definition, version, DOCUMENT, content)
        row = await self.image_versions.get(self.build.definition, version)
        if row is None:
            return  # the next step, which cannot do without the row, says so
        kept = replace(row.value.evidence, software=sha256(content))
        if kept != row.value.evidence:
            value = replace(row.value, evidence=kept)
            await self.image_versions.save(replace(row, value=value))


def _unreported(verification: Verification, detail: str) -> CheckResult:
    severity = Severity.WARN if verification.failed_checks else Severity.BLOCK
    return CheckResult(
        name=SOFTWARE, outcome=Outcome.ERRORED, severity=severity, detail=detail[:1000]
    )
