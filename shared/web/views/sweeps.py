"""Sweeps and subscriptions as the API answers them."""

from dataclasses import asdict

from shared.domain.subscription import Subscription
from shared.domain.sweep import SweepBatch
from shared.ports import SweepReport
from shared.web.exchange import Json, Links
from shared.web.views.values import instant, instant_or_none


def sweep_view(report: SweepReport, links: Links, *, batches: bool = False) -> Json:
    """Return a sweep with what it counted, and with its *batches* where they are wanted."""
    sweep = report.sweep
    view: Json = {
        "id": sweep.id,
        "asked_by": sweep.asked_by,
        "outcome": str(sweep.outcome),
        "why": sweep.why or None,
        "began_at": instant(sweep.began_at),
        "ended_at": instant_or_none(sweep.ended_at),
        "subscriptions": sweep.subscriptions,
        "unreadable_subscriptions": sweep.unreadable,
        "pages": sum(b.pages for b in report.batches),
        "restarts": sum(b.restarts for b in report.batches),
        "vms": asdict(report.tally),
        "url": links.to("sweeps", sweep.id),
    }
    if batches:
        view["batches"] = [_batch_view(batch) for batch in report.batches]
    return view


def _batch_view(batch: SweepBatch) -> Json:
    return {
        "number": batch.number,
        "outcome": str(batch.outcome),
        "why": batch.why or None,
        "moved_at": instant(batch.moved_at),
        "ended_at": instant_or_none(batch.ended_at),
        "pages": batch.pages,
        "restarts": batch.restarts,
        "rows": batch.tally.rows,
        "subscriptions": list(batch.subscriptions),
        "swept_first": list(batch.first),
    }


def subscription_view(subscription: Subscription, links: Links) -> Json:
    """Return a subscription: whether we may read it, and how old what we know of it is."""
    return {
        "id": subscription.subscription_id,
        "management_groups": list(subscription.management_groups),
        "problem": subscription.problem or None,
        "since": instant_or_none(subscription.problem_since),
        "policy_problem": subscription.policy_problem or None,
        "swept_at": instant_or_none(subscription.swept_at),
        "vms_url": links.to("vms", subscription=subscription.subscription_id),
    }
