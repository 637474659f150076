#!/bin/sh
# Installs what the tests need beyond Go and git, on Debian and Ubuntu: gcc and libc headers for the race detector, make,
# PostgreSQL, of which the tests of internal/store/postgres and examples/checkout start servers of their own, and Prometheus and its
# Alertmanager, for the tests of metrics stores, rules and the server.
# Does nothing where all of it is there.
set -eu
missing=
command -v gcc >/dev/null || missing="$missing gcc libc6-dev"
command -v make >/dev/null || missing="$missing make"
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$missing postgresql"
command -v prometheus >/dev/null && command -v promtool >/dev/null || missing="$missing prometheus"
command -v prometheus-alertmanager >/dev/null || missing="$missing prometheus-alertmanager"
command -v chromium >/dev/null || missing="$missing chromium" # the tests of internal/web look at the pages
[ -z "$missing" ] && exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
	echo "setup: install these first:$missing" >&2
	exit 1
fi
apt-get update -qq
# shellcheck disable=SC2086 # several words
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
