# Defender protects in real time, and the services that watch over the VM run.
$ErrorActionPreference = 'Stop'

foreach ($service in 'WinDefend', 'EventLog', 'WindowsAzureGuestAgent') {
    $status = (Get-Service -Name $service).Status
    if ($status -ne 'Running') {
        throw "the service $service is $status"
    }
}
if (-not (Get-MpComputerStatus).RealTimeProtectionEnabled) {
    throw 'Defender does not protect in real time'
}
Write-Output 'Defender and the agents run'
