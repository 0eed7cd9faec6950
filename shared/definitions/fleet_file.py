"""Reads fleet.yaml: all of it, or all that is wrong with it."""

import re
from datetime import timedelta
from pathlib import Path

from pydantic import ValidationError

from shared.definitions.documents import Document, read_document
from shared.definitions.fleet_format import FleetFile, OwnerSection, TeamSection
from shared.definitions.loader import sentence_of, text_of
from shared.definitions.sentences import problems_of
from shared.domain.fleet_policy import DEFAULT_GRACE, FleetPolicy, TeamPolicy
from shared.domain.team import OwnerRule, TeamRules
from shared.errors import DefinitionError


def load_fleet_policy(path: Path) -> FleetPolicy:
    """Read the fleet policy; where there is no such file, everything is as by default.

    Raises DefinitionError that names every fault at once, each with file, line and field.
    """
    if not path.exists():
        return to_policy(FleetFile())
    document = read_document(text_of(path), str(path))
    return to_policy(_validate(path, document))


def _validate(path: Path, document: Document) -> FleetFile:
    try:
        return FleetFile.model_validate(document.data)
    except ValidationError as error:
        problems = problems_of(error, document, model=FleetFile, kind="the fleet policy")
        ordered = sorted(problems, key=lambda p: document.line(p.path))
        raise DefinitionError([sentence_of(path, document, p) for p in ordered]) from error


def to_policy(file: FleetFile) -> FleetPolicy:
    """Return what *file* asks; a team has everything of the default it does not say itself."""
    default = _team(file, TeamPolicy(grace=DEFAULT_GRACE))
    return FleetPolicy(
        rules=TeamRules(owners=tuple(_owner(owner) for owner in file.owners)),
        kind_tag=file.kind_tag.lower(),
        default=default,
        teams={name.lower(): _team(team, default) for name, team in file.teams.items()},
        policy_stale_after=timedelta(hours=file.policy_states.stale_after_hours),
        history_kept=timedelta(days=file.history.keep_days),
        tattoo_tag=file.tattoo.tag.lower(),
        tattoo_every=timedelta(days=file.tattoo.every_days),
    )


def _owner(owner: OwnerSection) -> OwnerRule:
    return OwnerRule(
        tag=(owner.tag or "").lower(),
        resource_group=re.compile(owner.resource_group) if owner.resource_group else None,
        subscription_id=(owner.subscription or "").lower(),
        management_group=(owner.management_group or "").lower(),
        team=owner.team or "",
    )


def _team(section: TeamSection, otherwise: TeamPolicy) -> TeamPolicy:
    own = {verdict: timedelta(days=days) for verdict, days in section.grace_days.days().items()}
    max_age, refresh = section.pets.max_age_days, section.cattle.refresh_days
    plan = section.pets.plan
    return TeamPolicy(
        grace={**otherwise.grace, **own},
        pet_max_age=otherwise.pet_max_age if max_age is None else timedelta(days=max_age),
        pet_plan=otherwise.pet_plan if plan is None else plan,
        cattle_refresh=otherwise.cattle_refresh if refresh is None else timedelta(days=refresh),
    )
