#!/bin/sh
# Speed and memory of the whole investigation (make bench).
#
#   scripts/bench.sh              1 GB of nginx log, 500 MB of JSON log, and each twice as long for the memory
#   BENCH_LONG=1 scripts/bench.sh ten times as long instead (needs 15 GB of disk)
#   BENCH_SMALL=1 scripts/bench.sh a tenth, for a quick look
#
# The logs are made once, in .bench/. With INQUEST_DATA set, INQUEST_DATA/logs/gen_access_log.py makes them.
# BENCH_FLAGS goes to scripts/bench, e.g. BENCH_FLAGS='-runs 3 -wall'.
set -eu
cd "$(dirname "$0")/.."
dir=.bench
mkdir -p "$dir" bin
go build -trimpath -o "$dir/inquest" ./cmd/inquest
go build -o "$dir/bench" ./scripts/bench

gen() { # format size file
	[ -s "$3" ] && return
	echo "making $3 ($2)" >&2
	if [ -n "${INQUEST_DATA:-}" ]; then
		python3 "$INQUEST_DATA/logs/gen_access_log.py" --format "$1" --size "$2" --out "$3.tmp"
	else
		go run ./scripts/genlog -format "$1" -size "$2" -o "$3.tmp"
	fi
	mv "$3.tmp" "$3"
}

from=own
[ -n "${INQUEST_DATA:-}" ] && from=py
nginx=1024M nginx_long=2048M json=500M json_long=1000M
[ -n "${BENCH_LONG:-}" ] && nginx_long=10240M json_long=5000M
[ -n "${BENCH_SMALL:-}" ] && nginx=100M nginx_long=200M json=50M json_long=100M

gen nginx $nginx "$dir/nginx-$from-$nginx.log"
gen nginx $nginx_long "$dir/nginx-$from-$nginx_long.log"
gen json $json "$dir/json-$from-$json.jsonl"
gen json $json_long "$dir/json-$from-$json_long.jsonl"

status=0
# shellcheck disable=SC2086 # BENCH_FLAGS are several words
"$dir/bench" -bin "$dir/inquest" ${BENCH_FLAGS:-} \
	"nginx=$dir/nginx-$from-$nginx.log=9=$dir/nginx-$from-$nginx_long.log" \
	"json=$dir/json-$from-$json.jsonl=15=$dir/json-$from-$json_long.jsonl" || status=$?

echo
echo "miner and readers, a core (lines/s and ns/op):"
go test -run "^$" -bench . -benchtime 1s ./internal/pattern ./internal/parse ./internal/stat ./internal/diagnose/mechanism ./internal/flow |
	grep -E '^(Benchmark|pkg:)' || status=1
exit $status
