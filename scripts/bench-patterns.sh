#!/bin/sh
# Grouping accuracy of `inquest patterns` on the Loghub samples, one row a system and the average.
#
#   INQUEST_DATA=/path/to/data INQUEST_BIN=bin/inquest scripts/bench-patterns.sh [--errors N]
#
# INQUEST_DATA holds logs/score_templates.py and logs/loghub/<System>/<System>_2k.log with its _structured.csv.
# The raw .log files go through the product's own path: headers are taken off by the readers, not by this script.
# Exit code: 0 when the mean GA is at least 0.90 and the mean FGA at least 0.85, 1 when not, 2 when something is missing.
set -eu

data=${INQUEST_DATA:?set INQUEST_DATA to the folder that holds logs/loghub}/logs
bin=${INQUEST_BIN:-bin/inquest}
if [ ! -d "$data/loghub" ] || [ ! -f "$data/score_templates.py" ]; then
	echo "bench-patterns: $data has no loghub folder or no score_templates.py; set INQUEST_DATA" >&2
	exit 2
fi
if ! command -v "$bin" >/dev/null; then
	echo "bench-patterns: no command $bin; build it first (make build) or set INQUEST_BIN" >&2
	exit 2
fi

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT INT TERM

for log in "$data"/loghub/*/*_2k.log; do
	system=$(basename "$(dirname "$log")")
	"$bin" patterns "$log" --format csv >"$out/$system.csv" || {
		echo "bench-patterns: $bin patterns $log failed" >&2
		exit 2
	}
done

python3 "$data/score_templates.py" --dir "$data/loghub" "$out" "$@" | tee "$out/table"

awk '/^average/ { for (i = 1; i < NF; i++) { if ($i == "GA") ga = $(i + 1); if ($i == "FGA") fga = $(i + 1) } }
	END { exit !(ga >= 0.90 && fga >= 0.85) }' "$out/table" || {
	echo "bench-patterns: below GA 0.90 or FGA 0.85" >&2
	exit 1
}
