"""What the API says about builds, VMs and parked messages, to the letter."""

from dataclasses import replace
from datetime import datetime, timedelta, timezone

from shared.domain.build import Phase
from shared.domain.fleet_policy import FleetPolicy, TeamPolicy
from shared.domain.history import Transition, VmLine
from shared.domain.vm_record import Image, Rule, TattooReading, TattooState, Verdict
from shared.web.views.builds import build_summary, build_view
from shared.web.views.messages import parked_view
from shared.web.views.today import Today
from shared.web.views.values import instant
from shared.web.views.vms import vm_summary, vm_view
from tests.unit.web.samples import (
    BASE,
    BUILD_ID,
    HOUR_AGO_TEXT,
    IMAGE_ID,
    LINKS,
    NOON,
    NOON_TEXT,
    POLICY_STATE,
    SOURCE_VERSION,
    SUBSCRIPTION,
    URN,
    VM_ID,
    VM_KEY,
    build,
    failed_attempt,
    parked,
    vm,
)

BUILD_SUMMARY = {
    "id": BUILD_ID,
    "definition": "ubuntu",
    "source_urn": URN,
    "source_version": SOURCE_VERSION,
    "phase": "repairing",
    "finished": False,
    "attempt": 1,
    "version": "1.20261122.1",
    "progress": "Succeeded",
    "requested_by": "http",
    "forced": False,
    "created_at": HOUR_AGO_TEXT,
    "updated_at": NOON_TEXT,
    "url": f"{BASE}/builds/{BUILD_ID}",
}
STANDING = ("verdict", "rule", "reason", "since", "behind", "newest", "due_at", "overdue")
TODAY = Today(now=NOON, policy=FleetPolicy())

VM_SUMMARY = {
    "key": VM_KEY,
    "resource_id": VM_ID,
    "name": "web-1",
    "subscription": SUBSCRIPTION,
    "resource_group": "rg-pay",
    "region": "westeurope",
    "os": "linux",
    "team": "payments",
    "kind": "pet",
    "machine": "vm",
    "specialised": False,
    "image": {
        "definition": "ubuntu",
        "kind": "gallery",
        "id": IMAGE_ID,
        "version": "1.20261122.1",
        "told_by": "image-reference",
        "mismatch": False,
    },
    "verdict": "current",
    "rule": "lineage-lost",
    "reason": "It runs the newest version.",
    "since": None,
    "behind": None,
    "newest": None,
    "due_at": None,
    "overdue": False,
    "plan": {
        "age_days": 0,
        "runs_since": None,
        "image_age_days": None,
        "says": None,
        "due_at": None,
        "overdue": False,
    },
    "policy": "noncompliant",
    "policy_as_of": None,
    "policy_stale": False,
    "tattoo": None,
    "changed_at": HOUR_AGO_TEXT,
    "deleted_at": None,
    "as_of": NOON_TEXT,
    "url": f"{BASE}/vms/{VM_KEY}",
}


def test_a_time_is_written_in_utc_with_milliseconds() -> None:
    in_kolkata = datetime(
        2026, 11, 22, 17, 30, 0, 123456, tzinfo=timezone(timedelta(hours=5, minutes=30))
    )
    assert instant(in_kolkata) == "2026-11-22T12:00:00.123Z"


def test_a_build_without_an_attempt_has_no_version_yet() -> None:
    assert build_summary(build(), LINKS) == {
        **BUILD_SUMMARY,
        "phase": "queued",
        "attempt": None,
        "version": None,
        "progress": None,
    }


def test_a_build_tells_why_its_attempt_failed_and_what_each_check_said() -> None:
    failed = build(Phase.REPAIRING, attempts=(failed_attempt(),))
    assert build_summary(failed, LINKS) == BUILD_SUMMARY
    assert build_view(failed, LINKS) == {
        **BUILD_SUMMARY,
        "customization_digest": failed.customization_digest,
        "due": None,
        "source_verification": None,
        "repairs": [],
        "suggestions": [],
        "attempts": [
            {
                "number": 1,
                "version": "1.20261122.1",
                "version_url": f"{BASE}/images/ubuntu/versions/1.20261122.1",
                "template": "ubuntu-1",
                "repairs": [],
                "started_at": HOUR_AGO_TEXT,
                "run_requested_at": HOUR_AGO_TEXT,
                "ended_at": NOON_TEXT,
                "progress": "Succeeded",
                "timeout_minutes": None,
                "steps": [],
                "messages": [],
                "logs": None,
                "left_behind": None,
                "failure": {"class": "check", "message": "no-telnet failed"},
                "verification": {
                    "vm": "verify-1",
                    "stage": "removing",
                    "started_at": HOUR_AGO_TEXT,
                    "deadline": NOON_TEXT,
                    "results": [
                        {
                            "check": "no-telnet",
                            "outcome": "failed",
                            "severity": "block",
                            "detail": "telnet is installed",
                            "seconds": 1.5,
                            "runs": 1,
                        }
                    ],
                },
            }
        ],
        "history": [
            {
                "what": "phase",
                "from": "queued",
                "to": "repairing",
                "at": NOON_TEXT,
                "because": "test",
            }
        ],
    }


def test_a_vm_tells_its_policy_states_and_its_history() -> None:
    line = VmLine(
        key=VM_KEY,
        resource_id=VM_ID,
        number=1,
        team="payments",
        definition="ubuntu",
        version="1.20261122.1",
        transition=Transition(
            what="verdict", old="unknown", new="current", at=NOON, because="published"
        ),
    )
    assert vm_summary(vm(), LINKS, TODAY) == VM_SUMMARY
    seen = vm_view(vm(), [POLICY_STATE], [line], LINKS, TODAY, confirmed_at=NOON)
    assert seen == {
        **VM_SUMMARY,
        "confirmed_at": NOON_TEXT,
        "attestation": None,
        "scale_set_id": None,
        "created_at": None,
        "first_seen_at": HOUR_AGO_TEXT,
        "policy_states": [
            {
                "assignment_id": POLICY_STATE.assignment_id,
                "definition_id": POLICY_STATE.definition_id,
                "reference_id": None,
                "about": None,
                "state": "noncompliant",
                "reason_code": None,
                "exempt": False,
                "timestamp": HOUR_AGO_TEXT,
                "stale": False,
                "deleted": False,
            }
        ],
        "exemptions": [],
        "history": [
            {
                "what": "verdict",
                "from": "unknown",
                "to": "current",
                "at": NOON_TEXT,
                "because": "published",
            }
        ],
        "history_url": f"{BASE}/history/vms/{VM_KEY}",
    }


def test_a_vm_tells_what_its_tattoo_said() -> None:
    reading = TattooReading(
        state=TattooState.MISMATCH,
        read_at=NOON,
        by="run-command",
        version="1.20261122.1",
        differences=("version: the guest says 9, the register and the gallery say 1.20261122.1",),
        since=NOON - timedelta(hours=1),
    )
    read = replace(vm(), tattoo=reading)
    assert vm_summary(read, LINKS, TODAY)["tattoo"] == {"state": "mismatch"}
    assert vm_view(read, [], [], LINKS, TODAY)["tattoo"] == {
        "state": "mismatch",
        "since": HOUR_AGO_TEXT,
        "read_at": NOON_TEXT,
        "by": "run-command",
        "version": "1.20261122.1",
        "differences": ["version: the guest says 9, the register and the gallery say 1.20261122.1"],
    }


def test_what_is_not_known_of_a_vm_is_null() -> None:
    seen = replace(vm(team=""), image=Image(), definition="")
    assert vm_summary(seen, LINKS, TODAY)["team"] is None
    assert vm_summary(seen, LINKS, TODAY)["image"] == {
        "definition": None,
        "kind": "none",
        "id": None,
        "version": None,
        "told_by": "none",
        "mismatch": False,
    }


def test_a_parked_message_tells_why_and_where_to_replay_it() -> None:
    assert parked_view(parked(), LINKS) == {
        "id": "m1",
        "queue": "track-vm",
        "kind": "track_vm",
        "correlation_id": "c-1",
        "reason": "Azure refuses: no access",
        "tries": 5,
        "parked_at": NOON_TEXT,
        "text": "{}",
        "url": f"{BASE}/messages/parked/m1",
        "replay_url": f"{BASE}/messages/parked/m1/replay",
    }


def test_a_vm_tells_how_far_it_is_behind_and_what_is_planned_for_it() -> None:
    policy = FleetPolicy(teams={"payments": TeamPolicy(grace={}, pet_plan="Rebuilt every autumn.")})
    behind = replace(
        vm(verdict=Verdict.AGED),
        rule=Rule.BEHIND,
        since=NOON - timedelta(days=40),
        behind=2,
        newest="1.20261201.1",
        due_at=NOON - timedelta(days=10),
        created_at=NOON - timedelta(days=400),
        runs_since=NOON - timedelta(days=30),
        image_published_at=NOON - timedelta(days=90),
        plan_due_at=NOON + timedelta(days=1),
    )

    seen = vm_summary(behind, LINKS, Today(now=NOON, policy=policy))

    assert {name: seen[name] for name in STANDING} == {
        "verdict": "aged",
        "rule": "newer-version-offered",
        "reason": "It runs the newest version.",
        "since": "2026-10-23T12:00:00.000Z",
        "behind": {"versions": 2, "days": 30},
        "newest": "1.20261201.1",
        "due_at": "2026-11-12T12:00:00.000Z",
        "overdue": True,
    }
    assert seen["plan"] == {
        "age_days": 400,
        "runs_since": "2026-10-23T12:00:00.000Z",
        "image_age_days": 90,
        "says": "Rebuilt every autumn.",
        "due_at": "2026-11-23T12:00:00.000Z",
        "overdue": False,
    }
