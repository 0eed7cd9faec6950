"""The environment variables settings are read from, with their meanings and defaults."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """One environment variable: its *default* is None where it must be set."""

    name: str
    means: str
    default: str | None = None
    secret: bool = False
    """Whether its value may not be shown, in the log neither."""


VARIABLES: tuple[Variable, ...] = (
    Variable(
        name="AzureWebJobsStorage",
        means="Connection string of the storage account. Only for the local cloud: in Azure leave "
        "it out and set the three service URIs below.",
        default="",
    ),
    Variable(
        name="AzureWebJobsStorage__tableServiceUri",
        means="Table endpoint of the storage account, reached with the managed identity.",
        default="",
    ),
    Variable(
        name="AzureWebJobsStorage__queueServiceUri",
        means="Queue endpoint of the storage account, reached with the managed identity.",
        default="",
    ),
    Variable(
        name="AzureWebJobsStorage__blobServiceUri",
        means="Blob endpoint of the storage account, reached with the managed identity; evidence "
        "and build logs are kept there, and the host keeps its keys and timer locks there.",
        default="",
    ),
    Variable(
        name="AzureWebJobsStorage__clientId",
        means="Client id of the user-assigned identity Assay runs as, for storage, Azure Resource "
        "Manager and Event Grid alike; empty means the system-assigned one.",
        default="",
    ),
    Variable(
        name="ASSAY_ARM_ENDPOINT",
        means="Azure Resource Manager; http is accepted on a loopback address only.",
        default="https://management.azure.com",
    ),
    Variable(
        name="ASSAY_TOPIC_ENDPOINT",
        means="Endpoint of the Event Grid custom topic Assay publishes to, ending in /api/events.",
    ),
    Variable(
        name="ASSAY_SUBSCRIPTION_ID",
        means="Subscription that holds the gallery, the templates and the verification VMs.",
    ),
    Variable(
        name="ASSAY_RESOURCE_GROUP",
        means="Resource group of the gallery, the templates and the verification VMs.",
    ),
    Variable(name="ASSAY_LOCATION", means="Region of all of these, for example westeurope."),
    Variable(name="ASSAY_GALLERY", means="Name of the Compute Gallery."),
    Variable(
        name="ASSAY_BUILD_IDENTITY_ID",
        means="Resource id of the user-assigned identity Image Builder works with.",
    ),
    Variable(
        name="ASSAY_VERIFY_SUBNET_ID",
        means="Resource id of the subnet verification VMs are put in.",
    ),
    Variable(
        name="ASSAY_PUBLIC_URL",
        means="Address people reach the API under, for links in answers and events.",
        default="",
    ),
    Variable(
        name="ASSAY_ATTESTATION_ASSIGNMENT",
        means="Resource id of the policy assignment verdicts are attested under. Empty: nothing is "
        "attested.",
        default="",
    ),
    Variable(
        name="ASSAY_ATTESTATION_REFERENCE",
        means="Definition reference id of our policy, where an initiative is assigned.",
        default="",
    ),
    Variable(
        name="ASSAY_ATTESTATION_DAYS",
        means="How many days an attestation holds; it is renewed in the last fifth of them.",
        default="180",
    ),
    Variable(
        name="ASSAY_FLEET_FILE",
        means="File with what is asked of the fleet (teams, grace periods, plans), relative to the "
        "app.",
        default="fleet.yaml",
    ),
    Variable(
        name="ASSAY_IMAGES_DIR",
        means="Folder of the image definitions, relative to the app.",
        default="images",
    ),
    Variable(
        name="ASSAY_LOOK_SECONDS",
        means="Time between two looks at something Azure is doing.",
        default="60",
    ),
    Variable(
        name="ASSAY_GRACE_SECONDS",
        means="How long after its due time a repeated delivery checks that a build went on.",
        default="120",
    ),
    Variable(
        name="ASSAY_RETRY_SECONDS",
        means="Wait before a new attempt after Azure itself failed.",
        default="1800",
    ),
    Variable(
        name="ASSAY_BLIND_SECONDS",
        means="How long an unreadable status is put up with beyond the build's own timeout.",
        default="1800",
    ),
    Variable(
        name="ASSAY_MAX_CONCURRENT_BUILDS",
        means="How many builds Image Builder may work on at once in this subscription and region; "
        "the others wait in line. Each needs a container group of 4 cores of your quota.",
        default="20",
    ),
    Variable(
        name="ASSAY_NOTIFY_WEBHOOK",
        means="Address of the chat channel people are told in: a Teams workflow or a Slack "
        "incoming webhook. A secret: a Key Vault reference. Empty means that nobody is told.",
        default="",
        secret=True,
    ),
    Variable(
        name="ASSAY_NOTIFY_FORMAT",
        means="What the channel reads: `teams` (Adaptive Card) or `slack` (blocks).",
        default="teams",
    ),
    Variable(
        name="ASSAY_SIGNING_KEY",
        means="Key that signs the provenance of versions: `https://<vault>/keys/<name>`, with "
        "`/<version>` to stay with one version. Empty: evidence is unsigned, and says so.",
        default="",
    ),
    Variable(
        name="WEBSITE_AUTH_ENABLED",
        means="Set by App Service itself, to `True` when its authentication is on; only then "
        "the header `x-ms-client-principal-id` is believed.",
        default="",
    ),
    Variable(
        name="ASSAY_SOAK_SECONDS",
        means="How long a version stays in a channel before it is promoted to the next, where the "
        "definition does not say.",
        default="86400",
    ),
    Variable(
        name="ASSAY_CARE_SCHEDULE",
        means="When to look after channels, retention and gallery limits: NCRONTAB with six "
        "fields, UTC.",
        default="0 */10 * * * *",
    ),
    Variable(
        name="ASSAY_DETECT_SCHEDULE",
        means="When to look for new Marketplace versions: NCRONTAB with six fields, UTC.",
        default="0 */15 * * * *",
    ),
    Variable(
        name="ASSAY_SWEEP_SCHEDULE",
        means="When to hold the register of VMs against Azure Resource Graph: NCRONTAB with six "
        "fields, UTC.",
        default="0 7 * * * *",
    ),
    Variable(
        name="ASSAY_SNAPSHOT_SCHEDULE",
        means="When to count the fleet for reports and to remove old exports: NCRONTAB with six "
        "fields, UTC.",
        default="0 0 * * * *",
    ),
    Variable(
        name="ASSAY_EXPORT_DAYS",
        means="How many days the file of an export is kept.",
        default="7",
    ),
    Variable(
        name="ASSAY_POLICY_SCHEDULE",
        means="When to ask Azure Policy for the states of all VMs, for events may be lost: "
        "NCRONTAB with six fields, UTC.",
        default="0 23 3 * * *",
    ),
    Variable(
        name="ASSAY_HISTORY_SCHEDULE",
        means="When to look for histories longer than `history.keep_days` of fleet.yaml: NCRONTAB "
        "with six fields, UTC.",
        default="0 40 2 * * 0",
    ),
)
"""Every setting; the schedules are read by the host through the triggers' `%…%`."""
