#!/usr/bin/env bash
# Copies the dashboards and rules of grafana/ into the chart, which cannot read outside its folder.
set -euo pipefail
cd "$(dirname "$0")/.."
files=helm/rushdesk/files
mkdir -p "$files/dashboards" "$files/alerts"
find "$files" -type f ! -name .gitkeep -delete
for dashboard in grafana/dashboards/*.json; do
  [ -e "$dashboard" ] && cp "$dashboard" "$files/dashboards/"
done
# The folder may also contain tests of the rules.
for rules in grafana/alerts/*.y*ml; do
  [ -e "$rules" ] && grep -q '^groups:' "$rules" && cp "$rules" "$files/alerts/"
done
exit 0
