#!/bin/bash
# Brings every package up to date, kernel included. An image has no user who could answer
# questions, and files changed by hand win over those of the package.
set -euo pipefail

export DEBIAN_FRONTEND=noninteractive
options=(-y -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold
    -o DPkg::Lock::Timeout=300)

apt-get update
apt-get "${options[@]}" dist-upgrade
apt-get "${options[@]}" autoremove --purge
