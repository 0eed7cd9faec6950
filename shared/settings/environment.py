"""Makes the settings out of an environment."""

import re
from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import urlsplit

from shared.domain.attestation import AttestationRules
from shared.domain.identifiers import normalise_region
from shared.errors import SettingsError
from shared.ports import Pace
from shared.settings.conversions import (
    LOOPBACK,
    to_attestation_life,
    to_builds_at_once,
    to_guid,
    to_notify_form,
    to_optional_url,
    to_policy_assignment,
    to_resource_id,
    to_url,
)
from shared.settings.model import Notify, Settings, Storage
from shared.settings.reader import Reader

_VAULT_KEY = re.compile(
    r"^https://[a-z0-9.-]+(:\d+)?/keys/[0-9a-z-]{1,127}(/[0-9a-f]{1,64})?$", re.IGNORECASE
)


def settings_from_environ(environ: Mapping[str, str]) -> Settings:
    """Read the settings from *environ*.

    Raises SettingsError that names every missing or malformed variable at once.
    """
    reader = Reader(environ)
    arm_endpoint = reader.read("ASSAY_ARM_ENDPOINT", to_url, "").rstrip("/")
    public_url = reader.read("ASSAY_PUBLIC_URL", to_optional_url, "").rstrip("/")
    settings = Settings(
        storage=_storage(reader),
        identity_client_id=reader.text("AzureWebJobsStorage__clientId"),
        arm_endpoint=arm_endpoint,
        topic_endpoint=reader.read("ASSAY_TOPIC_ENDPOINT", to_url, ""),
        subscription_id=reader.read("ASSAY_SUBSCRIPTION_ID", to_guid, ""),
        resource_group=reader.text("ASSAY_RESOURCE_GROUP"),
        location=reader.read("ASSAY_LOCATION", normalise_region, ""),
        gallery=reader.text("ASSAY_GALLERY"),
        build_identity_id=reader.read("ASSAY_BUILD_IDENTITY_ID", to_resource_id, ""),
        verify_subnet_id=reader.read("ASSAY_VERIFY_SUBNET_ID", to_resource_id, ""),
        public_url=public_url,
        fleet_file=reader.text("ASSAY_FLEET_FILE"),
        images_dir=reader.text("ASSAY_IMAGES_DIR"),
        pace=Pace(
            look=reader.seconds("ASSAY_LOOK_SECONDS"),
            grace=reader.seconds("ASSAY_GRACE_SECONDS"),
            retry=reader.seconds("ASSAY_RETRY_SECONDS"),
            blind=reader.seconds("ASSAY_BLIND_SECONDS"),
            soak=reader.seconds("ASSAY_SOAK_SECONDS"),
        ),
        max_concurrent_builds=reader.read("ASSAY_MAX_CONCURRENT_BUILDS", to_builds_at_once, 1),
        notify=Notify(
            webhook=reader.read("ASSAY_NOTIFY_WEBHOOK", to_optional_url, ""),
            form=reader.read("ASSAY_NOTIFY_FORMAT", to_notify_form, "teams"),
        ),
        attestation=_attestation(reader, public_url),
        signing_key=_signing_key(reader, arm_endpoint),
        signs_in=reader.text("WEBSITE_AUTH_ENABLED").lower() == "true",
    )
    if reader.problems:
        raise SettingsError(reader.problems)
    return settings


def _storage(reader: Reader) -> Storage:
    storage = Storage(
        connection_string=reader.text("AzureWebJobsStorage"),
        table_uri=reader.read("AzureWebJobsStorage__tableServiceUri", to_optional_url, ""),
        queue_uri=reader.read("AzureWebJobsStorage__queueServiceUri", to_optional_url, ""),
        blob_uri=reader.read("AzureWebJobsStorage__blobServiceUri", to_optional_url, ""),
    )
    uris = (storage.table_uri, storage.queue_uri, storage.blob_uri)
    if not storage.connection_string and not all(uris):
        reader.problems.append(
            "AzureWebJobsStorage__tableServiceUri, AzureWebJobsStorage__queueServiceUri and "
            "AzureWebJobsStorage__blobServiceUri are not all set (the local cloud sets "
            "AzureWebJobsStorage instead)."
        )
    return storage


def _attestation(reader: Reader, public_url: str) -> AttestationRules:
    """Read what is attested to Azure Policy; its evidence is links, so they must lead somewhere."""
    rules = AttestationRules(
        assignment_id=reader.read("ASSAY_ATTESTATION_ASSIGNMENT", to_policy_assignment, ""),
        reference_id=reader.text("ASSAY_ATTESTATION_REFERENCE"),
        life=reader.read("ASSAY_ATTESTATION_DAYS", to_attestation_life, timedelta(days=180)),
        public_url=public_url,
    )
    if rules.is_on and not public_url:
        reader.problems.append(
            "ASSAY_PUBLIC_URL is not set, and ASSAY_ATTESTATION_ASSIGNMENT is: the evidence of an "
            "attestation is a link into the register."
        )
    return rules


def _signing_key(reader: Reader, arm_endpoint: str) -> str:
    """Read the signing key; one in a file is for the local cloud, whose Azure is a loopback one."""
    local = urlsplit(arm_endpoint).hostname in LOOPBACK

    def convert(value: str) -> str:
        if not value or _VAULT_KEY.match(value):
            return value
        if value.startswith("file:") and local:
            return value
        raise ValueError(
            "it must be https://<vault>/keys/<name> or …/<name>/<version>"
            + (", or file:<path>" if local else "")
        )

    return reader.read("ASSAY_SIGNING_KEY", convert, "")
