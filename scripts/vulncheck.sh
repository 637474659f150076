#!/bin/bash
# Looks for known vulnerabilities in what the binaries call, in the toolchain that go.mod names (GOTOOLCHAIN=auto fetches it).
# Where vuln.go.dev cannot be reached, the same database is built from its source, the module golang.org/x/vulndb, which any module
# proxy serves. Fails when one is called.
#
#	scripts/vulncheck.sh [-db URL]
set -eu -o pipefail
cd "$(dirname "$0")/.."
version=v1.1.4
export GOTOOLCHAIN=auto
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export GOBIN=$work/bin
go install "golang.org/x/vuln/cmd/govulncheck@$version"
if [ $# = 0 ] && ! curl --silent --fail --max-time 10 --output /dev/null https://vuln.go.dev/index/db.json; then
	echo 'vulncheck: vuln.go.dev cannot be reached; building the database from golang.org/x/vulndb' >&2
	mkdir "$work/vulndb"
	(
		cd "$work/vulndb"
		go mod init vulndb
		go get golang.org/x/vulndb@latest
		go build -mod=mod -o "$work/bin/indexdb" golang.org/x/vulndb/cmd/indexdb
		"$work/bin/indexdb" -vulns "$(go list -m -f '{{.Dir}}' golang.org/x/vulndb)/data/osv" -out "$work/db"
		go list -m -f 'vulncheck: {{.Path}} {{.Version}}' golang.org/x/vulndb
	) >&2
	set -- -db "file://$work/db"
fi
for module in . examples/checkout; do
	echo "vulncheck: $module, $(cd "$module" && go version)" >&2
	"$work/bin/govulncheck" -C "$module" "$@" ./...
done
