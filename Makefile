# `make` lists the targets. Everything runs from a fresh clone with Go, git and gcc (the race detector needs it).
SHELL       := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
GO          ?= go
VERSION     ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
PKG         ?= ./...
FUZZTIME    ?= 10s
SCENARIO    ?= black-friday
TOOLS       := bin/tools
SOURCES     := cmd internal guard examples scripts lab *.go
MISSES      := testdata/cases/KNOWN_MISSES.md
BENCH_PKGS  := ./internal/pattern ./internal/parse ./internal/stat ./internal/diagnose/mechanism ./internal/flow
export CGO_ENABLED ?= 1

.DEFAULT_GOAL := help
.PHONY: help build install test test-full lint fmt check golden cases bench conformance bench-gateway bench-serve bench-diff cover fuzz docs man formats rca investigate-example demo setup shrink test-checkout vet-lab vulncheck tidy tidy-check clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  %-20s %s\n", $$1, $$2 }'

build: ## build bin/inquest and bin/inquest-gateway
	@mkdir -p bin
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o bin/inquest ./cmd/inquest
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o bin/inquest-gateway ./cmd/inquest-gateway

install: ## install inquest where go installs commands
	CGO_ENABLED=0 $(GO) install -trimpath -ldflags '-s -w -X main.version=$(VERSION)' ./cmd/inquest

investigate-example: build ## build, then investigate the recorded Black Friday incident
	bin/inquest investigate examples/black-friday

test: ## quick tests: no variations of the corpus
	$(GO) test -short $(PKG)
	$(GO) -C guard test -short ./...
	$(GO) -C guard/otelguard test ./...

test-full: ## all tests: with the race detector, then every case in every variation
	$(GO) test -race -short -timeout 30m $(PKG)
	$(GO) -C guard test -race ./...
	$(GO) -C guard/otelguard test -race ./...
	$(GO) -C guard test -run Allocate ./...
	$(GO) -C guard/otelguard test -run Allocation ./...
	$(GO) test -timeout 45m $(PKG)

lint: $(TOOLS)/golangci-lint ## gofmt, golangci-lint (pinned in tools/), shell syntax
	@test -z "$$(gofmt -l $(SOURCES))" || { gofmt -l $(SOURCES); echo 'not formatted: make fmt' >&2; exit 1; }
	$(TOOLS)/golangci-lint run ./...
	cd guard && $(CURDIR)/$(TOOLS)/golangci-lint run ./...
	cd examples/checkout && $(CURDIR)/$(TOOLS)/golangci-lint run ./...
	cd guard/otelguard && $(CURDIR)/$(TOOLS)/golangci-lint run ./...
	@for f in scripts/*.sh lab/*.sh .ci/run; do bash -n $$f; done

fmt: ## format the sources
	gofmt -w $(SOURCES)

check: build lint vet-lab docs tidy-check test-full test-checkout ## what CI runs
	@git diff --exit-code -- docs/mechanisms docs/audit-rules.md || { echo 'docs/ is not current: commit what make docs wrote' >&2; exit 1; }

demo: build ## watch an incident come, be investigated and told: make demo SCENARIO=black-friday|bad-deploy|database-down|payment-down (DEMO_ONCE=1 ends after it)
	$(GO) run ./scripts/demo -scenario $(SCENARIO)

test-checkout: ## the example service under guard, against PostgreSQL, SQLite and dependencies that misbehave, in each release
	$(GO) -C examples/checkout test ./...
	$(GO) -C examples/checkout vet -tags hasty ./...
	$(GO) -C examples/checkout vet -tags coupons ./...

vet-lab: ## the recorder builds and is vetted; recording itself needs root and many packages (lab/README.md)
	$(GO) vet -C lab ./...

golden: ## rewrite the expected outputs; look at the diff
	$(GO) test ./internal/report ./cmd/inquest -update

cases: ## judge every recorded case, one row each
	$(GO) run ./scripts/cases -known $(MISSES) testdata/cases examples

shrink: ## take the cases that come out now from the list of known misses
	$(GO) test -timeout 45m ./internal/flow -run 'Case|Evidence|Healthy|Laid' -shrink

formats: ## per format, what the readers get right: make formats INQUEST_DATA=DIR (with logs/INDEX.jsonl)
	$(GO) run ./scripts/formats $${INQUEST_DATA:?set INQUEST_DATA to a folder with logs/INDEX.jsonl}/logs

rca: ## rank components on benchmark cases: make rca INQUEST_DATA=DIR (with nezha/ and petshop/)
	$(GO) run ./scripts/rca -misses $${INQUEST_DATA:?set INQUEST_DATA to a folder with nezha/ and petshop/}/nezha $$INQUEST_DATA/petshop

bench: ## speed and memory beside wc -l on 1.5 GB of log, then the rooms' benchmarks
	scripts/bench.sh

conformance: build ## judge the gateway beside misbehaving upstreams: JSON, and docs/conformance.md
	$(GO) run ./scripts/conformance -gateway bin/inquest-gateway -table docs/conformance.md

bench-gateway: build ## the gateway's CPU per request beside a bare proxy, Caddy, nginx and HAProxy (needs wrk and nginx)
	$(GO) run ./scripts/benchgateway -gateway bin/inquest-gateway $${CADDY:+-caddy $$CADDY}

bench-serve: build ## inquest serve under 50,000 log records and 5,000 requests a second for two minutes, then overloaded: FOR=30s for a short one
	$(GO) run ./scripts/benchserve -inquest bin/inquest -gateway bin/inquest-gateway $${FOR:+-for $$FOR}

bench-diff: $(TOOLS)/benchstat ## the rooms' benchmarks of this tree beside those of BASE (default HEAD)
	scripts/bench-diff.sh $(TOOLS)/benchstat $(BENCH_PKGS)

cover: ## test coverage by function, in coverage.out
	$(GO) test -short -coverprofile coverage.out -coverpkg ./internal/... $(PKG)
	$(GO) tool cover -func coverage.out | tail -n 1

fuzz: ## run each fuzz target for FUZZTIME
	scripts/fuzz.sh $(FUZZTIME)

docs: ## write docs/mechanisms and docs/audit-rules.md from the catalogues
	$(GO) run ./scripts/mechdocs
	$(GO) run ./cmd/inquest audit rules --format markdown >docs/audit-rules.md

man: build ## write the manual pages into bin/man
	bin/inquest man bin/man

setup: ## install what the tests need beyond Go (Debian, Ubuntu; as root)
	scripts/setup.sh

vulncheck: ## known vulnerabilities in what the binaries call (fetches the scanner and, where vuln.go.dev is out of reach, its database)
	scripts/vulncheck.sh

tidy-check: # go.mod and go.sum hold what is used, and nothing else
	$(GO) mod tidy -diff
	$(GO) -C guard mod tidy -diff
	$(GO) -C guard/otelguard mod tidy -diff
	$(GO) -C examples/checkout mod tidy -diff
	$(GO) -C lab mod tidy -diff

tidy: ## tidy the modules
	$(GO) mod tidy
	$(GO) -C guard mod tidy
	$(GO) -C guard/otelguard mod tidy
	$(GO) -C examples/checkout mod tidy
	$(GO) -C lab mod tidy

clean: ## remove what was built
	rm -rf bin coverage.out

$(TOOLS)/%: tools/%/go.mod tools/%/go.sum
	@mkdir -p $(TOOLS)
	$(GO) -C tools/$* build -o $(CURDIR)/$(TOOLS)/ tool
