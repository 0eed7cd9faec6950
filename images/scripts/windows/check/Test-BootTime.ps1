# From the boot to the start of the guest agent in at most 300 seconds.
$ErrorActionPreference = 'Stop'

$boot = (Get-CimInstance -ClassName Win32_OperatingSystem).LastBootUpTime
$service = Get-CimInstance -ClassName Win32_Service -Filter "Name='WindowsAzureGuestAgent'"
$started = (Get-Process -Id $service.ProcessId).StartTime
$seconds = [math]::Round(($started - $boot).TotalSeconds)
Write-Output "the guest agent started $seconds seconds after the boot"
if ($seconds -gt 300) {
    exit 1
}
