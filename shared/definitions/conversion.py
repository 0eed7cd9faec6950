"""From the file format to the domain's image definition, the scripts read in."""

from datetime import timedelta
from pathlib import Path

from shared.definitions import scripts
from shared.definitions.documents import Place, Problem
from shared.definitions.file_format import (
    ChannelSection,
    CheckSection,
    CustomizerSection,
    DefinitionFile,
    RetentionSection,
    SourceSection,
)
from shared.domain.identifiers import normalise_region
from shared.domain.image_definition import (
    Check,
    Customizer,
    CustomizerKind,
    ImageDefinition,
    MarketplaceSource,
    OperatingSystem,
    ParentSource,
    Repair,
    ResultFormat,
    Severity,
    Source,
    TargetRegion,
)
from shared.domain.release_rules import ChannelRule, RetentionRule


def to_domain(file: DefinitionFile, folder: Path) -> tuple[ImageDefinition, list[Problem]]:
    """Return the definition of *file* and what is wrong with the scripts it names in *folder*.

    The definition is good for use only when there is no problem: scripts that could not be read
    are empty in it.
    """
    scripts_of = _Scripts(folder, OperatingSystem(file.os))
    image = file.gallery_image
    definition = ImageDefinition(
        name=file.name,
        description=file.description,
        os=OperatingSystem(file.os),
        major=file.major,
        source=_source(file.source),
        publisher=image.publisher,
        offer=image.offer,
        sku=image.sku,
        hyper_v_generation=image.hyper_v_generation,
        architecture=image.architecture,
        security_type=image.security_type,
        regions=tuple(
            TargetRegion(
                name=normalise_region(r.name),
                replicas=r.replicas,
                max_replicas=r.max_replicas or 0,
            )
            for r in file.regions
        ),
        channels=tuple(_channel(c) for c in file.channels),
        end_of_life_days=file.end_of_life_days,
        block_deletion=file.block_deletion,
        retention=_retention(file.retention) if file.retention else None,
        customizers=scripts_of.customizers(file.customizers, ("customizers",)),
        checks=tuple(scripts_of.check(c, ("checks", i)) for i, c in enumerate(file.checks)),
        repairs=tuple(
            Repair(
                name=r.name,
                answers=tuple(r.answers),
                attempts=r.attempts,
                customizers=scripts_of.customizers(r.customizers, ("repairs", i, "customizers")),
            )
            for i, r in enumerate(file.repairs)
        ),
        boot_seconds=file.verify.boot_seconds,
        max_attempts=file.build.max_attempts,
        build_vm_size=file.build.vm_size,
        verify_vm_size=file.verify.vm_size,
        build_timeout_minutes=file.build.timeout_minutes,
        verify_timeout_minutes=file.verify.timeout_minutes,
        pause_after=file.build.pause_after,
        verify_source=file.verify.source,
    )
    return definition, scripts_of.problems


def _source(section: SourceSection) -> Source:
    if section.image:
        return ParentSource(image=section.image, channel=section.channel)
    return MarketplaceSource(publisher=section.publisher, offer=section.offer, sku=section.sku)


def _channel(section: ChannelSection) -> ChannelRule:
    soak = section.soak_minutes
    return ChannelRule(
        name=section.name,
        soak=None if soak is None else timedelta(minutes=soak),
        approval=section.approval,
        waves=tuple(tuple(normalise_region(r) for r in wave) for wave in section.waves),
        wave_soak=timedelta(minutes=section.wave_minutes),
    )


def _retention(section: RetentionSection) -> RetentionRule:
    return RetentionRule(
        keep=section.keep,
        max_age=_days(section.max_age_days),
        after_end_of_life=section.after_end_of_life,
        rejected=_days(section.rejected_days),
        notice=timedelta(days=section.notice_days),
        dry_run=section.dry_run,
    )


def _days(count: int | None) -> timedelta | None:
    return None if count is None else timedelta(days=count)


class _Scripts:
    """Reads scripts and gathers what is wrong with them."""

    def __init__(self, folder: Path, os: OperatingSystem) -> None:
        self._folder = folder
        self._os = os
        self.problems: list[Problem] = []

    def customizers(self, sections: list[CustomizerSection], path: Place) -> tuple[Customizer, ...]:
        """Return *sections*, the list at *path*, as customizers."""
        return tuple(self._customizer(s, (*path, i)) for i, s in enumerate(sections))

    def check(self, section: CheckSection, path: Place) -> Check:
        """Return *section* as a check."""
        return Check(
            name=section.name,
            script=self._script(section, path),
            results=ResultFormat(section.results),
            severity=Severity(section.severity),
            timeout_seconds=section.timeout_seconds,
            retries=section.retries,
            source=section.source,
        )

    def _customizer(self, section: CustomizerSection, path: Place) -> Customizer:
        action = section.actions[0] if section.actions else CustomizerKind.SHELL
        return Customizer(
            name=section.name,
            kind=CustomizerKind(action.replace("_", "-")),
            script=self._script(section, path),
        )

    def _script(self, section: CustomizerSection | CheckSection, path: Place) -> str:
        action = "shell" if section.shell else "powershell"
        name = section.shell or section.powershell
        if name is None:
            return ""
        try:
            return scripts.read_script(self._folder, name, self._os)
        except scripts.ScriptError as error:
            self.problems.append(Problem((*path, action), str(error)))
            return ""
