#!/bin/bash
# Compares benchmarks of the working tree with those of another commit.
#
#   [BASE=HEAD] [COUNT=6] scripts/bench-diff.sh BENCHSTAT PACKAGE...
set -euo pipefail
cd "$(dirname "$0")/.."
stat=$(realpath "$1")
shift
tree=$(mktemp -d)
trap 'git worktree remove --force "$tree" 2>/dev/null || true; rm -rf "$tree"' EXIT
git worktree add --detach --quiet "$tree" "${BASE:-HEAD}"
mkdir -p .bench
(cd "$tree" && go test -run '^$' -bench . -count "${COUNT:-6}" "$@") >.bench/old.txt
go test -run '^$' -bench . -count "${COUNT:-6}" "$@" >.bench/new.txt
"$stat" .bench/old.txt .bench/new.txt
