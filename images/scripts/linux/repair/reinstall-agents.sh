#!/bin/bash
# Installs the agents afresh with the packages' own configuration; the image's rules are kept.
set -euo pipefail

export DEBIAN_FRONTEND=noninteractive
apt-get update
apt-get -y -o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confnew \
    -o Dpkg::Options::=--force-confmiss install --reinstall auditd chrony unattended-upgrades
systemctl enable auditd.service chrony.service unattended-upgrades.service
