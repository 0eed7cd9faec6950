"""Replays recorded requests against the simulator and compares what matters."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from localcloud.arm import ArmSimulator
from localcloud.arm.faults import AsyncFault
from tests.conformance.exceptions import difference_allowed, why_uncovered
from tests.conformance.preparation import prepare
from tests.conformance.samples import Interaction

_HEADERS = ("azure-asyncoperation", "location", "retry-after")
_LONG = timedelta(hours=3)
_TOKEN = {"Authorization": "Bearer a-token"}
_SCALE_SET = re.compile(r".*/virtualMachineScaleSets/[^/]+", re.IGNORECASE)
# Objects whose keys are names somebody chose.
_FREE_KEYS = re.compile(r"(^|\.)(tags|userAssignedIdentities|artifactTags)$")


@dataclass
class Outcome:
    """What a replay found."""

    compared: int = 0
    skipped: list[str] = field(default_factory=list)
    deviations: list[str] = field(default_factory=list)


class Replayer:
    """Replays one recording, in order, on one simulator."""

    def __init__(self, sim: ArmSimulator, session: aiohttp.ClientSession) -> None:
        self._sim = sim
        self._session = session
        self._urls: dict[str, str] = {}
        self._spoiled: set[str] = set()
        self.outcome = Outcome()

    async def replay(self, interactions: list[Interaction]) -> Outcome:
        """Replay all; operations are followed under the simulator's own URLs."""
        for index, recorded in enumerate(interactions):
            reason = why_uncovered(recorded)
            if reason is None and _is_poll(recorded) and _poll_key(recorded) not in self._urls:
                reason = "the status of an operation that is not covered"
            reason = reason or self._spoiled_by(recorded)
            if reason is not None:
                self._spoil(recorded)
                self.outcome.skipped.append(f"{recorded.method} {recorded.resource_path}: {reason}")
                continue
            self._foresee(recorded, interactions[index + 1 :])
            await prepare(self._sim, self._session, recorded, interactions[index:])
            if _ended(recorded):
                self._sim.cloud.scheduler.advance(_LONG)
            await self._compare(recorded)
            if not _is_poll(recorded) and not _followed(recorded, interactions[index + 1 :]):
                self._sim.cloud.scheduler.advance(_LONG)
        return self.outcome

    def _spoil(self, skipped: Interaction) -> None:
        found = _SCALE_SET.match(skipped.path)
        if found and skipped.method != "GET":
            self._spoiled.add(found[0].lower())

    def _spoiled_by(self, recorded: Interaction) -> str | None:
        found = _SCALE_SET.match(recorded.path)
        if found and recorded.method == "GET" and found[0].lower() in self._spoiled:
            return "it follows a change of the scale set that is not covered"
        return None

    def _foresee(self, recorded: Interaction, later: list[Interaction]) -> None:
        url = recorded.headers.get("azure-asyncoperation")
        if url is None:
            return
        key = urlsplit(url).path.lower()
        for each in later:
            if _poll_key(each) == key and (each.answer or {}).get("status") == "Failed":
                error = each.answer["error"]
                self._sim.add_fault(
                    AsyncFault(code=error["code"], message=error["message"], times=1)
                )
                return

    async def _compare(self, recorded: Interaction) -> None:
        url = self._sim.base_url + recorded.path + "?" + recorded.query
        if _is_poll(recorded):
            url = self._urls[_poll_key(recorded)]
            if "monitor=true" in recorded.query:
                url = url.replace("?", "?monitor=true&", 1)
        kwargs: dict[str, Any] = {"json": recorded.body} if recorded.body is not None else {}
        async with self._session.request(
            recorded.method, url, headers=_TOKEN, **kwargs
        ) as response:
            body = await response.json() if response.content_length else None
            headers = {key.lower(): value for key, value in response.headers.items()}
            status = response.status
        for name in ("azure-asyncoperation", "location"):
            if name in recorded.headers and name in headers:
                key = urlsplit(recorded.headers[name]).path.lower()
                self._urls.setdefault(key, headers[name])
        self.outcome.compared += 1
        where = f"{recorded.method} {recorded.resource_path}"
        if status != recorded.status:
            self.outcome.deviations.append(f"{where}: {status} for {recorded.status} ({body})")
            return
        for found in [
            *_different_headers(recorded, headers),
            *_different_keys(recorded.answer, body),
        ]:
            if not difference_allowed(recorded, found):
                self.outcome.deviations.append(f"{where}: {found}")


def _is_poll(recorded: Interaction) -> bool:
    return bool(re.search(r"/(operations|capsOperations|asyncOperationResults)/", recorded.path))


def _poll_key(recorded: Interaction) -> str:
    return recorded.path.lower()


def _ended(recorded: Interaction) -> bool:
    if not _is_poll(recorded):
        return False
    if "asyncOperationResults" in recorded.path or "monitor=true" in recorded.query:
        return recorded.status == 200
    return bool(recorded.answer) and recorded.answer.get("status") != "InProgress"


def _followed(recorded: Interaction, later: list[Interaction]) -> bool:
    """True where the recording itself shows how this request's operation went on."""
    url = recorded.headers.get("azure-asyncoperation") or recorded.headers.get("location")
    if url is None:
        return True
    key = urlsplit(url).path.lower()
    return any(_poll_key(each) == key for each in later) or recorded.path.endswith("/run")


def _different_headers(recorded: Interaction, headers: dict[str, str]) -> Iterator[str]:
    for name in _HEADERS:
        if (name in recorded.headers) != (name in headers):
            yield f"header {name} {'missing' if name in recorded.headers else 'extra'}"


def _different_keys(recorded: Any, answered: Any) -> Iterator[str]:
    wanted, found = set(_paths(recorded)), set(_paths(answered))
    yield from (f"missing {path}" for path in sorted(wanted - found))
    yield from (f"extra {path}" for path in sorted(found - wanted))


def _paths(value: Any, path: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if not _FREE_KEYS.search(path):
                name = f"{path}.{key}".lstrip(".")
                yield name
                yield from _paths(inner, name)
            else:
                yield from _paths(inner, f"{path}.*")
    elif isinstance(value, list):
        for item in value:
            yield from _paths(item, f"{path}[]")
