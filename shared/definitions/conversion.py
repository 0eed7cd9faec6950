"""From the file format to the domain's image definition, the scripts read in."""

from pathlib import Path

from shared.definitions import scripts
from shared.definitions.documents import Place, Problem
from shared.definitions.file_format import CheckSection, CustomizerSection, DefinitionFile
from shared.domain.identifiers import normalise_region
from shared.domain.image_definition import (
    Check,
    Customizer,
    CustomizerKind,
    ImageDefinition,
    MarketplaceSource,
    OperatingSystem,
    Repair,
    ResultFormat,
    Severity,
    TargetRegion,
)


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
        source=MarketplaceSource(**file.source.model_dump()),
        publisher=image.publisher,
        offer=image.offer,
        sku=image.sku,
        hyper_v_generation=image.hyper_v_generation,
        architecture=image.architecture,
        security_type=image.security_type,
        regions=tuple(
            TargetRegion(name=normalise_region(r.name), replicas=r.replicas) for r in file.regions
        ),
        customizers=scripts_of.customizers(file.customizers, ("customizers",)),
        checks=tuple(scripts_of.check(c, ("checks", i)) for i, c in enumerate(file.checks)),
        repairs=tuple(
            Repair(
                name=r.name,
                answers=tuple(r.answers),
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
    )
    return definition, scripts_of.problems


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
