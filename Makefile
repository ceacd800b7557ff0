# Weir: `make help` says what there is. Everything but test-real and bench needs
# Go alone.

GO      ?= go
BIN     := bin/weir
FUZZ    ?= 5m
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null)

.DEFAULT_GOAL := help

.PHONY: help
help: ## Say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: ## Build bin/weir, one static binary
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags "-s -w" -o $(BIN) ./cmd/weir

.PHONY: test
test: ## Run all tests that need nothing but Go
	$(GO) test ./...

.PHONY: race
race: ## Run them under the race detector
	$(GO) test -race ./...

.PHONY: peers
peers: ## Install the real servers and tools that test-real and bench need
	scripts/install-peers.sh
	scripts/install-haproxy3.sh
	scripts/install-registries.sh
	scripts/install-httpbin.sh

.PHONY: test-real
test-real: peers ## Test against nginx, etcd, ZooKeeper, DNS servers, curl, wrk, strace and network namespaces
	$(GO) test -tags real -count=1 -timeout 15m ./test/real/... ./internal/smuggling/...

.PHONY: chaos
chaos: peers ## Harm endpoints and workers under load, each for CHAOS (10m); CHAOS_SEED=N does it again
	CHAOS_DURATION=$(or $(CHAOS),10m) $(GO) test -tags real -count=1 -timeout 0 -v -run TestAdversary ./test/real/

.PHONY: scale
scale: ## Attach thousands of workers, and print what they take (two minutes)
	WEIR_SCALE=1 $(GO) test -count=1 -timeout 15m -v ./test/scale

.PHONY: lint
lint: ## Vet, staticcheck, gofumpt, module files
	$(GO) vet ./...
	$(GO) vet -tags real ./test/real/... ./internal/smuggling/...
	$(GO) tool staticcheck ./...
	$(GO) tool staticcheck -tags real ./test/real/... ./internal/smuggling/...
	@out=$$($(GO) tool gofumpt -l $$(git ls-files '*.go')); test -z "$$out" || { echo "gofumpt these:"; echo "$$out"; exit 1; }
	$(GO) mod tidy -diff

.PHONY: fuzz
fuzz: ## Run every fuzz target for FUZZ (5m)
	scripts/fuzz.sh $(FUZZ)

.PHONY: bench
bench: peers ## Measure Weir beside nginx, HAProxy and Caddy (a quarter of an hour)
	$(GO) run ./bench

.PHONY: bench-quick
bench-quick: peers ## The same, under three minutes
	$(GO) run ./bench -quick

.PHONY: golden
golden: ## Write golden files and generated docs anew; look at the difference before you commit
	scripts/golden.sh

.PHONY: clean
clean: ## Remove what was built
	rm -rf bin .cache
