#!/bin/bash
# Runs every fuzz target of the module and of guard's for a while, one after the other: scripts/fuzz.sh [DURATION]
set -euo pipefail
cd "$(dirname "$0")/.."
for package in $(go list ./...) $(go -C guard list ./...); do
	for target in $(go test -list '^Fuzz' "$package" | grep '^Fuzz' || true); do
		echo "== $package $target"
		go test -run '^$' -fuzz "^$target\$" -fuzztime "${1:-10s}" "$package"
	done
done
