"""How the builds of a definition go: failures in a row, and whether it is paused."""

from dataclasses import dataclass, replace
from datetime import datetime

from shared.domain.history import Transition
from shared.domain.versions import version_key

FAILURES = "failures"
"""`paused_by` of a definition that paused itself."""
MAX_COUNTED = 50
"""A repeated delivery comes within days; a definition does not end 50 builds meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DefinitionState:
    """What is remembered of one definition from build to build."""

    definition: str
    failures: int = 0
    """Builds in a row that ended without a release."""
    paused_at: datetime | None = None
    paused_by: str = ""
    """`failures`, or who asked: an object id, `function-key` … never a name."""
    paused_why: str = ""
    source_version: str = ""
    """Source version of the build that ended last."""
    definition_digest: str = ""
    """What the definition was when that build started."""
    counted: tuple[str, ...] = ()
    """Ids of the builds counted last, so that none counts twice."""
    history: tuple[Transition, ...] = ()

    @property
    def paused(self) -> bool:
        """Whether no build starts by itself."""
        return self.paused_at is not None

    def count(
        self, build_id: str, *, released: bool, source_version: str, definition_digest: str
    ) -> "DefinitionState":
        """Return the state after the end of a build; a build counts once."""
        if build_id in self.counted:
            return self
        return replace(
            self,
            failures=0 if released else self.failures + 1,
            source_version=source_version,
            definition_digest=definition_digest,
            counted=(*self.counted, build_id)[-MAX_COUNTED:],
        )

    def pause(self, *, by: str, why: str, now: datetime) -> "DefinitionState":
        """Return the state paused; unchanged when it is paused by the same already.

        A person's pause replaces one for failures: it does not end by itself.
        """
        if self.paused and by in (self.paused_by, FAILURES):
            return self
        step = Transition(what="paused", old=self.paused_by, new=by, at=now, because=why)
        return replace(
            self, paused_at=now, paused_by=by, paused_why=why, history=(*self.history, step)
        )

    def resume(self, *, now: datetime, because: str) -> "DefinitionState":
        """Return the state not paused, its failures forgotten; unchanged when it is not paused."""
        if not self.paused:
            return self
        step = Transition(what="paused", old=self.paused_by, new="", at=now, because=because)
        return replace(
            self,
            failures=0,
            paused_at=None,
            paused_by="",
            paused_why="",
            history=(*self.history, step),
        )

    def resumes_for(self, source_version: str, definition_digest: str, *, forced: bool) -> str:
        """Return why a build ends a pause for failures; empty when it does not.

        A newer source version does, and a changed definition, and a person who insists. What a
        person paused, only a person resumes.
        """
        if not self.paused or self.paused_by != FAILURES:
            return ""
        if forced:
            return "a person asked for a build of its own"
        if self.definition_digest and definition_digest != self.definition_digest:
            return "the definition was changed"
        seen = self.source_version
        if seen and version_key(source_version) > version_key(seen):
            return f"source version {source_version} is newer than {seen}"
        return ""
