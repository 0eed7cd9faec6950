# Switches on what watches over the VM and needs no secret: Defender, event logs large enough to
# be collected, PowerShell's script block log, and the time service.
$ErrorActionPreference = 'Stop'

Set-MpPreference -DisableRealtimeMonitoring $false -PUAProtection Enabled
foreach ($log in 'Application', 'System', 'Security') {
    & wevtutil.exe set-log $log /maxsize:268435456 /retention:false
    if ($LASTEXITCODE -ne 0) {
        throw "wevtutil could not resize the log $log (exit code $LASTEXITCODE)"
    }
}

$key = 'HKLM:\SOFTWARE\Policies\Microsoft\Windows\PowerShell\ScriptBlockLogging'
New-Item -Path $key -Force | Out-Null
New-ItemProperty -Path $key -Name 'EnableScriptBlockLogging' -Value 1 -PropertyType DWord -Force |
    Out-Null

foreach ($service in 'WinDefend', 'EventLog', 'W32Time') {
    if ((Get-Service -Name $service).StartType -eq 'Disabled') {
        Set-Service -Name $service -StartupType Automatic
    }
}
