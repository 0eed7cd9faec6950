# Nothing but the known services of Windows listens to the network.
$ErrorActionPreference = 'Stop'

# RPC endpoint mapper, SMB, remote desktop, WinRM; ports from 49152 on are RPC's own.
$allowed = 135, 139, 445, 3389, 5985, 5986, 47001
$surprises = Get-NetTCPConnection -State Listen |
    Where-Object {
        $_.LocalAddress -notin '127.0.0.1', '::1' -and
        $_.LocalPort -lt 49152 -and
        $_.LocalPort -notin $allowed
    }
if ($surprises) {
    throw "listening on $(($surprises | ForEach-Object { "$($_.LocalAddress):$($_.LocalPort)" }) -join ', ')"
}
Write-Output 'no surprises'
