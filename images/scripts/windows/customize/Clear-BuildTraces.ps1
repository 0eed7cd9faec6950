# Removes what belongs to the build VM and not to the image. C:\Windows\Temp is left alone, since the
# build itself works there. Image Builder runs sysprep at the end.
$ErrorActionPreference = 'Stop'

# The services hold files of the folder open.
Stop-Service -Name 'wuauserv', 'bits' -Force
Get-ChildItem -Path "$env:SystemRoot\SoftwareDistribution\Download" -Force |
    Remove-Item -Recurse -Force
& dism.exe /Online /Cleanup-Image /StartComponentCleanup /Quiet
if ($LASTEXITCODE -notin 0, 3010) {
    throw "dism could not clean up the component store (exit code $LASTEXITCODE)"
}
