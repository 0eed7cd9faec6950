#!/bin/bash
# nginx runs, serves its page to the loopback and does not tell its version. Prints TAP.
set -uo pipefail

answer="$(curl -sS -i --max-time 10 http://127.0.0.1/ 2>&1)"
status=0

# test_that NUMBER WORDS COMMAND…: one line of TAP.
test_that() {
    local number="$1" words="$2"
    shift 2
    if "$@" > /dev/null 2>&1; then
        printf 'ok %s - %s\n' "$number" "$words"
    else
        printf 'not ok %s - %s\n' "$number" "$words"
        status=1
    fi
}

printf '1..3\n'
test_that 1 'nginx runs' systemctl is-active --quiet nginx.service
test_that 2 'it serves its page' grep -q '^It works\.' <<< "$answer"
test_that 3 'it does not tell its version' grep -Eqi $'^server: nginx\r?$' <<< "$answer"
exit "$status"
