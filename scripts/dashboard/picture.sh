#!/usr/bin/env bash
# Draws the dashboard into a file, with made-up numbers: scripts/dashboard/picture.sh docs/images/dashboard.png
# It needs node, chromium and prometheus.
set -euo pipefail
file=$(realpath "$1")
cd "$(dirname "$0")"
[[ -d node_modules ]] || npm ci --legacy-peer-deps --no-audit --no-fund
scratch=$(mktemp -d)
node numbers.mjs >"$scratch/numbers.txt"
promtool tsdb create-blocks-from openmetrics "$scratch/numbers.txt" "$scratch/data" >"$scratch/blocks.log"
echo 'global: {}' >"$scratch/prometheus.yml"
address=127.0.0.1:${PORT:-59595}
prometheus --config.file="$scratch/prometheus.yml" --storage.tsdb.path="$scratch/data" --web.listen-address="$address" 2>"$scratch/prometheus.log" &
server=$!
trap 'kill $server; wait $server || true; rm -r "$scratch"' EXIT
until curl -fs "http://$address/-/ready" >/dev/null; do kill -0 $server; sleep 0.2; done
node picture.mjs "http://$address" "$file" 21600
