# `make help` lists what there is. Everything works on a new machine with Go,
# and with node and npm for the web app: what is missing is installed by `up`.
# Targets are idempotent, and quick when there is nothing to do.

SHELL := /bin/bash -o pipefail
.DEFAULT_GOAL := help

MODULES := . proto agent loadtest
# One go test for all modules of the workspace, so that one failure hides no other.
PACKAGES := ./... ./proto/... ./agent/... ./loadtest/...
# internal/e2e waits for real time to pass: minutes of it, and more while the rest
# is being compiled beside it. go test's own limit is ten.
GOTEST := go test -timeout 30m
BIN     := $(CURDIR)/.bin
NPM     := npm --prefix frontend
WEB     := $(wildcard frontend/package.json)
# Generated folders, for the freshness check.
GENERATED := proto/gen $(if $(WEB),frontend/src/gen)

define each
set -e; for m in $(MODULES); do \
  if [ -n "$$(find $$m -name '*.go' -not -path '*/node_modules/*' -print -quit)" ]; then echo "== $$m: $(1)"; (cd $$m && $(1)); fi; \
done
endef

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

## Setting up

up: up-run $(BIN)/.tools $(BIN)/.browser ## Install everything that is needed, tools included

up-run: $(BIN)/.postgres $(if $(WEB),frontend/dist/.built) ## Install only what running needs

# apt's programs may be there without apt; only what is missing is installed.
$(BIN)/.postgres:
	@mkdir -p $(BIN)
	@scripts/apt-missing initdb:/usr/lib/postgresql/*/bin/initdb=postgresql
	@touch $@

$(BIN)/.browser:
	@mkdir -p $(BIN)
	@scripts/apt-missing chromium:/usr/bin/chromium=chromium
	@touch $@

# The linter and the generators, each built from its own pinned module.
$(BIN)/.tools: tools/go.mod tools/lint/go.mod
	@mkdir -p $(BIN)
	@echo "building buf, protoc-gen-go, protoc-gen-connect-go (minutes, the first time)"
	cd tools && GOWORK=off GOBIN=$(BIN) CGO_ENABLED=0 go install -trimpath -ldflags "-s -w" tool
	@echo "building golangci-lint (minutes, the first time)"
	cd tools/lint && GOWORK=off GOBIN=$(BIN) CGO_ENABLED=0 go install -trimpath -ldflags "-s -w" tool
	@touch $@

# Exactly what the lock file names; it refuses one that does not fit package.json.
frontend/node_modules/.installed: frontend/package-lock.json
	$(NPM) ci --no-audit --no-fund
	@touch $@

# The folder itself is checked in empty, so that the server builds without node.
frontend/dist/.built: frontend/node_modules/.installed $(shell find frontend/src frontend/public frontend/index.html frontend/vite.config.ts -type f 2>/dev/null)
	$(NPM) run build
	@touch $@

## Working

build: up-run ## Build the two programs into .bin
	go build -o $(BIN)/signalbox ./cmd/signalbox
	cd agent && go build -o $(BIN)/signalbox-agent ./cmd/signalbox-agent

dev: build ## Run everything here, with a private PostgreSQL, until Ctrl-C
	$(BIN)/signalbox dev --agent $(BIN)/signalbox-agent

demo: build ## Run the digits example through a real agent, and show run and bill
	$(BIN)/signalbox demo --agent $(BIN)/signalbox-agent

gen: $(BIN)/.tools $(if $(WEB),frontend/node_modules/.installed) ## Generate code from the contract
	cd proto && $(BIN)/buf generate
	$(if $(WEB),cd proto && $(BIN)/buf generate --template buf.gen.es.yaml)

fmt: $(BIN)/.tools ## Format all code
	@$(call each,$(BIN)/golangci-lint fmt)
	cd proto && $(BIN)/buf format -w
	$(if $(WEB),$(NPM) run fix)

## Checking

lint: $(BIN)/.tools $(if $(WEB),frontend/node_modules/.installed) ## Lint Go, the contract and the web app
	@$(call each,$(BIN)/golangci-lint run --allow-parallel-runners ./...)
	cd proto && $(BIN)/buf lint
	$(if $(WEB),$(NPM) run check)

test: up ## Install what is missing, then run every test
	$(if $(WEB),$(NPM) test)
	@$(MAKE) --no-print-directory e2e
	$(GOTEST) $(PACKAGES)

test-race: up ## Run the Go tests with the race detector
	$(GOTEST) -race $(PACKAGES)

fuzz: ## Fuzz each parser for 20 seconds (FUZZTIME=…)
	@set -e; grep -rl --include='*_test.go' --exclude-dir=node_modules '^func Fuzz' . | xargs -n1 dirname | sort -u | while read -r dir; do \
	  for f in $$(grep -ho '^func Fuzz[A-Za-z0-9_]*' $$dir/*_test.go | cut -c6-); do \
	    echo "== $$dir $$f"; (cd $$dir && go test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(or $(FUZZTIME),20s) .); \
	  done; \
	done

e2e: up ## Run the browser's end-to-end tests
	$(if $(WEB),@if grep -q '"e2e"' frontend/package.json && [ -f frontend/vitest.e2e.config.ts ]; then $(NPM) run e2e; else echo "no end-to-end tests yet"; fi)

# The same seed is the same schedule of faults, and the same simulations.
SEED ?= $(shell od -An -N4 -tu4 /dev/urandom | tr -d ' ')
MINUTES ?= 20
SEEDS ?= 200
HOURS ?= 5

chaos: $(BIN)/.postgres ## Storm real processes, then simulate (SEED= MINUTES= SEEDS= HOURS=)
	@echo "seed $(SEED)"
	go test ./internal/e2e -count=1 -timeout 0 -v -run '^TestChaos$$' -chaos.seed $(SEED) -chaos.time $(MINUTES)m
	go test ./controlplane/simulation -count=1 -timeout 0 -v -run '^TestSeeds$$' -sim.seed $(SEED) -sim.seeds $(SEEDS) -sim.hours $(HOURS)

BENCH := $(BIN)/signalbox-bench run -signalbox $(BIN)/signalbox

bench: $(BIN)/.postgres bench-build ## Measure this machine and what we do with it: W1 to W4, five minutes
	$(BENCH) loadtest/scenarios/w[1-4]-*.yaml

bench-full: $(BIN)/.postgres bench-build ## All workloads, three times, medians: an hour and more
	$(BENCH) -repeat 3 loadtest/scenarios/*.yaml
	go test -run '^$$' -bench Hop -benchtime 300x ./controlplane/agentapi

conformance: $(BIN)/.postgres ## Prove each capability with real processes, and print a table: some minutes
	cd loadtest && go test ./conformance -count=1 -timeout 60m -parallel $(or $(PARALLEL),6) -conformance.full

bench-build:
	go build -o $(BIN)/signalbox ./cmd/signalbox
	cd loadtest && go build -o $(BIN)/signalbox-bench ./cmd/signalbox-bench

check: lint fresh standalone ## Exactly what CI runs: lint, generated code, every module alone, tests
	@$(MAKE) --no-print-directory test

# Generated code is checked in and must be what the sources say.
fresh: gen
	@git diff --exit-code -- $(GENERATED) || { echo "generated code is stale: run make gen and commit"; exit 1; }
	@new=$$(git ls-files --others --exclude-standard -- $(GENERATED)); [ -z "$$new" ] || { echo "generated files are not committed: $$new"; exit 1; }

# A workspace hides a missing requirement; customers build a module alone.
standalone:
	@$(call each,GOWORK=off go build ./...)

.PHONY: help up up-run build dev demo gen fmt lint test test-race fuzz e2e chaos conformance bench bench-full bench-build check fresh standalone
