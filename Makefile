# Tenure. `make` alone prints this help.

GOLANGCI_VERSION := v2.15.0
GO_LICENSES_VERSION := v1.6.0
WORKFLOWCHECK_VERSION := v0.6.0
GOVULNCHECK_VERSION := v1.9.0
TOOLS := $(CURDIR)/.tools
BIN := $(CURDIR)/bin
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS := -X github.com/tenurehq/tenure/service.version=$(VERSION)

# No path of the checkout is in what is built, so a second checkout finds it in Go's cache.
export GOFLAGS := $(filter-out -trimpath,$(shell go env GOFLAGS)) -trimpath

.DEFAULT_GOAL := help
.PHONY: help build build-dev build-real demo dev test test-real chaos fuzz bench bench-ingest bench-scale bench-workers bench-provision docs site man licences release vulncheck check fmt vet lint determinism tidy-check licences-check clean

help: ## print this help
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  \033[1m%-16s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## build worker, starter and tenure into ./bin
	@mkdir -p $(BIN)
	@CGO_ENABLED=0 go build -ldflags '$(LDFLAGS)' -o $(BIN)/ ./worker ./starter ./cmd/tenure

build-dev: build
	@[ -x $(BIN)/dev ] || echo "building the embedded stack: a whole Temporal server is compiled the first time, which takes minutes on a small machine ..."
	@cd dev && go build -o $(BIN)/dev ./cmd/dev

demo: build-dev ## play a small company's story on the embedded stack (DEMO_FLAGS=--hold stays up)
	@$(BIN)/dev demo --bin $(BIN) $(DEMO_FLAGS)

dev: build-dev ## run the embedded stack, durable under ./.tenure, until Ctrl-C (DEV_FLAGS)
	@$(BIN)/dev dev --bin $(BIN) $(DEV_FLAGS)

# Property tests and end-to-end tests try the same cases each time, so that a change fails
# for its own fault only; make fuzz tries others, and so does an end-to-end test run alone.
test test-real: export RAPID_SEED ?= 1
test test-real: export E2E_SEED ?= 1

test: build ## every test that needs only Go
	go test -timeout 20m ./...
	cd dev && go test -count=1 -p 1 -parallel 4 -timeout 30m ./... # -count=1: they test files that Go's cache does not know of; -p 1: some stacks want the machine for themselves; -parallel 4: the others wait most of the time

build-real: build-dev # and the Temporal server, for what runs by itself
	@cd dev && go build -o $(BIN)/temporal-server go.temporal.io/server/cmd/server
	@cd dev && go build -o $(BIN)/temporal-sql-tool go.temporal.io/server/cmd/tools/sql

test-real: build-real ## the tests against real servers, which it installs and starts
	./scripts/test-real

chaos: build-real ## kill and stop every part in turn, for hours; see that no account is wrong (CHAOS_FLAGS)
	./scripts/test-real fetch
	@$(BIN)/dev chaos --bin $(BIN) $(CHAOS_FLAGS)

FUZZTIME := 30s

CHECKS := 2000

fuzz: ## run every property test with CHECKS new cases, and every fuzz test for FUZZTIME; what breaks is kept in testdata
	@RAPID_SEED=0 RAPID_CHECKS=$(CHECKS) go test -count=1 -timeout 2h $$(git grep -l 'pgregory.net/rapid"' -- '*_test.go' ':!dev' | xargs -n1 dirname | sort -u | sed 's#^#./#')
	@for file in $$(git grep -l '^func Fuzz' -- '*_test.go'); do \
		for target in $$(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' $$file); do \
			echo "== ./$$(dirname $$file) $$target"; \
			go test ./$$(dirname $$file) -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 100x || exit 1; \
		done; \
	done

bench: build-dev ## count and compare what changes cost; writes bench.json
	@$(BIN)/dev bench --out $(CURDIR)/bench.json $(BENCH_FLAGS)

bench-ingest: build-dev ## measure ingestion against bare loops; writes bench-ingest.json
	@$(BIN)/dev bench-ingest --bin $(BIN) --out $(CURDIR)/bench-ingest.json $(BENCH_FLAGS)

bench-scale: build build-dev ## measure what one more change costs as the company grows; writes bench-scale.json
	@$(BIN)/dev bench-scale --bin $(BIN) --out $(CURDIR)/bench-scale.json $(BENCH_FLAGS)

bench-workers: build-real ## compare numbers of workers and starters on PostgreSQL; writes bench-workers.json
	./scripts/test-real fetch
	@$(BIN)/dev bench-workers --bin $(BIN) --out $(CURDIR)/bench-workers.json $(BENCH_FLAGS)

bench-provision: build build-dev ## measure provisioning into one server that is running (BENCH_FLAGS="--target URL ..."); writes bench-provision.json
	@$(BIN)/dev bench-provision --bin $(BIN) --out $(CURDIR)/bench-provision.json --file $(CURDIR)/bench-provision $(BENCH_FLAGS)

docs: ## write the generated parts of docs
	@go run ./internal/configdoc
	@go run ./internal/connectordoc
	@go test ./hr/source/catalog ./examples/connector-toy ./service/worker ./starter ./notice -run Document -update >/dev/null

site: ## build the documents into a site that can be searched, ./.site; fails on broken links
	@./scripts/site/build

man: build ## write a manual page for each command into ./man (man -l man/tenure-run-retry.1)
	@rm -rf $(CURDIR)/man
	@go run -tags man -ldflags '$(LDFLAGS)' ./cmd/tenure $(CURDIR)/man $(BIN)/worker $(BIN)/starter

licences: $(TOOLS)/go-licenses-$(GO_LICENSES_VERSION) ## write docs/licences.csv; fails on a missing or unfit licence (takes minutes)
	@go run ./internal/licences --tool $<

# Archives are the same to the byte whoever builds them of one commit with one version of Go.
PLATFORMS := linux-amd64 linux-arm64 darwin-arm64
DIST := $(CURDIR)/dist

release: man ## write an archive for each platform, and their checksums, into ./dist
	@rm -rf $(DIST)
	@for platform in $(PLATFORMS); do \
		name=tenure-$(VERSION)-$$platform; mkdir -p $(DIST)/$$name; \
		CGO_ENABLED=0 GOOS=$${platform%-*} GOARCH=$${platform#*-} go build -trimpath -ldflags '-s -w $(LDFLAGS)' -o $(DIST)/$$name/ ./worker ./starter ./cmd/tenure || exit 1; \
		cp -r LICENSE README.md CHANGELOG.md docs/licences.csv schemas examples man $(DIST)/$$name/; \
		tar -C $(DIST) --sort=name --owner=0 --group=0 --numeric-owner --mtime=@$$(git log -1 --format=%ct) -cf - $$name | gzip -n > $(DIST)/$$name.tar.gz || exit 1; \
		rm -rf $(DIST)/$$name; \
	done
	@cd $(DIST) && sha256sum *.tar.gz > checksums.txt && cat checksums.txt

# The database of vulnerabilities is asked for over the network, so this is no part of check.
vulncheck: $(TOOLS)/govulncheck-$(GOVULNCHECK_VERSION) ## see whether known vulnerabilities are reached by our code
	$< ./...
	cd dev && $< ./...

check: fmt vet lint determinism tidy-check licences-check ## what has to hold before anything lands

fmt:
	@files=$$(gofmt -l $$(git ls-files '*.go')); if [ -n "$$files" ]; then echo "not gofmt-ed (run gofmt -w):"; echo "$$files"; exit 1; fi

vet: # of what lint does not see; it has govet for the rest
	go vet -tags man ./cmd/tenure

lint: $(TOOLS)/golangci-lint-$(GOLANGCI_VERSION)
	$< run --allow-parallel-runners ./...
	cd dev && $< run --allow-parallel-runners --config ../.golangci.yml ./...

determinism: $(TOOLS)/workflowcheck-$(WORKFLOWCHECK_VERSION)
	$< -show-pos ./workflows

# go.mod says what the code needs, no more and no less. (-e: packages that only
# tests of our dependencies' dependencies import need not be there. go.sum is left
# out, as it changes with whether those can be fetched; a checksum that is needed
# and missing fails the build.)
tidy-check:
	@for module in . dev; do \
		diff=$$(cd $$module && go mod tidy -e -diff 2>/dev/null | sed -n '/^diff .*go\.sum$$/q;p'); \
		if [ -n "$$diff" ]; then echo "$$diff"; echo "run: cd $$module && go mod tidy -e"; exit 1; fi; \
	done

# Every module that is built in has its line in docs/licences.csv, with a licence that is
# fit. Reading the licences takes minutes: who adds a module runs make licences.
licences-check:
	@go run ./internal/licences --check

$(TOOLS)/golangci-lint-$(GOLANGCI_VERSION):
	@mkdir -p $(TOOLS)
	GOBIN=$(TOOLS) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)
	@mv $(TOOLS)/golangci-lint $@

$(TOOLS)/workflowcheck-$(WORKFLOWCHECK_VERSION):
	@mkdir -p $(TOOLS)
	GOBIN=$(TOOLS) go install go.temporal.io/sdk/contrib/tools/workflowcheck@$(WORKFLOWCHECK_VERSION)
	@mv $(TOOLS)/workflowcheck $@

$(TOOLS)/govulncheck-$(GOVULNCHECK_VERSION):
	@mkdir -p $(TOOLS)
	GOBIN=$(TOOLS) go install golang.org/x/vuln/cmd/govulncheck@$(GOVULNCHECK_VERSION)
	@mv $(TOOLS)/govulncheck $@

$(TOOLS)/go-licenses-$(GO_LICENSES_VERSION):
	@mkdir -p $(TOOLS)
	GOBIN=$(TOOLS) go install github.com/google/go-licenses@$(GO_LICENSES_VERSION)
	@mv $(TOOLS)/go-licenses $@

clean: ## remove what was built, and the data of make dev
	rm -rf $(BIN) $(TOOLS) .site $(DIST) man .tenure bench.json bench-ingest.json bench-scale.json bench-workers.json bench-provision.json bench-provision.jsonl bench-provision*.csv chaos.json
