"""A complete environment to test with."""

SUBSCRIPTION = "00000000-0000-4000-8000-000000000001"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-assay"

APP_ENVIRON: dict[str, str] = {
    "AzureWebJobsStorage": "UseDevelopmentStorage=true",
    "ASSAY_TOPIC_ENDPOINT": "https://assay.westeurope-1.eventgrid.azure.net/api/events",
    "ASSAY_SUBSCRIPTION_ID": SUBSCRIPTION,
    "ASSAY_RESOURCE_GROUP": "rg-assay",
    "ASSAY_LOCATION": "westeurope",
    "ASSAY_GALLERY": "assay",
    "ASSAY_BUILD_IDENTITY_ID": f"{GROUP}/providers/Microsoft.ManagedIdentity"
    "/userAssignedIdentities/id-build",
    "ASSAY_VERIFY_SUBNET_ID": f"{GROUP}/providers/Microsoft.Network/virtualNetworks/vnet"
    "/subnets/verify",
    "ASSAY_CARE_SCHEDULE": "0 */10 * * * *",
    "ASSAY_DETECT_SCHEDULE": "0 */15 * * * *",
    "ASSAY_SWEEP_SCHEDULE": "0 7 * * * *",
    "ASSAY_SNAPSHOT_SCHEDULE": "0 0 * * * *",
    "ASSAY_POLICY_SCHEDULE": "0 23 3 * * *",
    "ASSAY_HISTORY_SCHEDULE": "0 40 2 * * 0",
}
