#!/bin/bash
# Every service the image promises runs, and none has failed. Prints JUnit XML.
set -uo pipefail

wanted=(chrony.service ssh.service systemd-journald.service unattended-upgrades.service)
cases=''
failures=0

# add NAME [MESSAGE]: one case, failed when there is a message.
add() {
    if [[ $# -eq 1 ]]; then
        cases+="  <testcase classname=\"services\" name=\"$1\"/>"$'\n'
    else
        cases+="  <testcase classname=\"services\" name=\"$1\"><failure message=\"$2\"/></testcase>"$'\n'
        failures=$((failures + 1))
    fi
}

for unit in "${wanted[@]}"; do
    state="$(systemctl is-active "$unit")"
    if [[ "$state" == active ]]; then
        add "$unit"
    else
        add "$unit" "is ${state:-unknown}"
    fi
done

broken="$(systemctl list-units --state=failed --plain --no-legend | awk '{print $1}' | paste -sd ' ')"
if [[ -z "$broken" ]]; then
    add 'no unit has failed'
else
    add 'no unit has failed' "${broken//[<>&\"]/_}"
fi

printf '<?xml version="1.0" encoding="UTF-8"?>\n'
printf '<testsuite name="services" tests="%d" failures="%d">\n' "$((${#wanted[@]} + 1))" "$failures"
printf '%s</testsuite>\n' "$cases"
[[ "$failures" -eq 0 ]]
