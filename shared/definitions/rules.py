"""What must hold between the fields of a definition, beyond the type of each."""

from collections.abc import Iterable, Iterator, Sequence

from shared.definitions.channel_rules import problems_of_channels
from shared.definitions.documents import Place, Problem
from shared.definitions.file_format import (
    MAX_CHECKS,
    CheckSection,
    CustomizerSection,
    DefinitionFile,
    RepairSection,
)
from shared.domain.identifiers import normalise_region
from shared.domain.image_definition import CUSTOMIZE, VERIFY
from shared.domain.verification import AGENT, BOOT, SOFTWARE, TATTOO

READY_MADE = (BOOT, AGENT, TATTOO, SOFTWARE)
ANSWERABLE = (*READY_MADE, VERIFY, CUSTOMIZE)

_LINUX = {"shell"}
_WINDOWS = {"powershell", "windows_restart", "windows_update"}


def problems_between(file: DefinitionFile, stem: str) -> list[Problem]:
    """Return what is wrong between the fields of *file*, whose file is called *stem*."""
    return [
        *_name(file, stem),
        *_source(file),
        *_regions(file),
        *problems_of_channels(file),
        *_security(file),
        *_boot(file),
        *_customizers(file),
        *_checks(file),
        *_repairs(file),
        *_runs(file),
        *_source_checks(file),
    ]


def customizer_places(file: DefinitionFile) -> Iterator[tuple[Place, CustomizerSection]]:
    """Yield every customizer of *file*, those of repairs too, with its place."""
    for i, customizer in enumerate(file.customizers):
        yield ("customizers", i), customizer
    for i, repair in enumerate(file.repairs):
        for j, customizer in enumerate(repair.customizers):
            yield ("repairs", i, "customizers", j), customizer


def _name(file: DefinitionFile, stem: str) -> Iterator[Problem]:
    if file.name != stem:
        yield Problem(("name",), f"must be the name of the file, {stem}, is {file.name}")


def _source(file: DefinitionFile) -> Iterator[Problem]:
    marketplace, parent = file.source.given
    if marketplace and parent:
        yield Problem(
            ("source",),
            "is either a Marketplace image (publisher, offer and sku) or another golden image "
            f"(image and channel), this one has {', '.join([*marketplace, *parent])}",
        )
        return
    if not marketplace and not parent:
        says = "needs publisher, offer and sku of a Marketplace image, or image and channel"
        yield Problem(("source",), f"{says} of another definition")
        return
    for name in file.source.missing:
        yield Problem(("source", name), "is missing")


def _regions(file: DefinitionFile) -> Iterator[Problem]:
    names = [normalise_region(region.name) for region in file.regions]
    for i, name in enumerate(names):
        if not (name.isascii() and name.isalnum()):
            yield Problem(("regions", i, "name"), f"{name!r} is no region such as westeurope")
        if name in names[:i]:
            yield Problem(("regions", i, "name"), f"{name} is in the list already")


def _security(file: DefinitionFile) -> Iterator[Problem]:
    image = file.gallery_image
    if image.security_type and image.hyper_v_generation != "V2":
        place = ("gallery_image", "security_type")
        yield Problem(place, f"{image.security_type} needs hyper_v_generation V2")


def _boot(file: DefinitionFile) -> Iterator[Problem]:
    if file.verify.boot_seconds >= file.verify.timeout_minutes * 60:
        place = ("verify", "boot_seconds")
        yield Problem(place, "must be less than verify.timeout_minutes, to leave time for checks")


def _customizers(file: DefinitionFile) -> Iterator[Problem]:
    places = list(customizer_places(file))
    yield from _repeated((path, c.name) for path, c in places)
    for path, customizer in places:
        if customizer.name == TATTOO:
            yield Problem((*path, "name"), f"{TATTOO} is the name of Assay's own customizer")
        yield from _actions(file, path, customizer.actions, "customizer")


def _checks(file: DefinitionFile) -> Iterator[Problem]:
    places: list[tuple[Place, CheckSection]] = [
        (("checks", i), check) for i, check in enumerate(file.checks)
    ]
    yield from _repeated((path, c.name) for path, c in places)
    limit = file.verify.timeout_minutes * 60
    for path, check in places:
        if check.name in ANSWERABLE:
            yield Problem((*path, "name"), f"{check.name} is a name Assay uses itself")
        if check.timeout_seconds > limit:
            says = f"must be at most verify.timeout_minutes ({limit} seconds)"
            yield Problem((*path, "timeout_seconds"), f"{says}, is {check.timeout_seconds}")
        yield from _actions(file, path, check.actions, "check")


def _runs(file: DefinitionFile) -> Iterator[Problem]:
    runs = sum(1 + check.retries for check in file.checks)
    if runs > MAX_CHECKS:
        says = f"checks and their retries must be at most {MAX_CHECKS} runs together, are {runs}"
        yield Problem(("checks",), says)


def _source_checks(file: DefinitionFile) -> Iterator[Problem]:
    if file.verify.source and file.source.image:
        says = "is for Marketplace images: a golden image was verified when it was released"
        yield Problem(("verify", "source"), says)
    for i, check in enumerate(file.checks):
        if check.source and not file.verify.source:
            yield Problem(("checks", i, "source"), "needs verify.source: true")


def _repairs(file: DefinitionFile) -> Iterator[Problem]:
    places: list[tuple[Place, RepairSection]] = [
        (("repairs", i), repair) for i, repair in enumerate(file.repairs)
    ]
    yield from _repeated((path, r.name) for path, r in places)
    known = [*(check.name for check in file.checks), *ANSWERABLE]
    for path, repair in places:
        for j, answered in enumerate(repair.answers):
            if answered not in known:
                says = f"there is no check {answered}; there are {', '.join(known)}"
                yield Problem((*path, "answers", j), says)


def _actions(
    file: DefinitionFile, path: Place, actions: Sequence[str], noun: str
) -> Iterator[Problem]:
    fitting = _LINUX if file.os == "linux" else _WINDOWS
    if len(actions) != 1:
        given = " and ".join(actions) if actions else "none"
        yield Problem(path, f"a {noun} has exactly one action, this one has {given}")
    for action in actions:
        if action not in fitting:
            yield Problem((*path, action), f"is not for {file.os}")


def _repeated(named: Iterable[tuple[Place, str]]) -> Iterator[Problem]:
    seen: set[str] = set()
    for path, name in named:
        if name in seen:
            yield Problem((*path, "name"), f"{name} is used above already")
        seen.add(name)
