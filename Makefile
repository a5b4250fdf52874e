# Everything a developer does with this project. `make help` lists it.
SHELL := /bin/bash
.DEFAULT_GOAL := build

GOLANGCI_VERSION := v2.15.0
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null | sed 's/^[^v]/v0.0.0-&/')
LDFLAGS := -s -w -X shieldwall/internal/platform/buildinfo.version=$(VERSION)
PROGRAMS := crowdsec cscli crowdsec-firewall-bouncer
PROFILE := $(CURDIR)/packaging/hot.pprof# of the lines that most of the time goes into: the compiler takes care of them
BIN ?= bin

.PHONY: help build run install uninstall test fuzz bench profile bench-micro lint fmt ci clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 13

build: ## static binaries of the three programs, in bin/
	CGO_ENABLED=0 go build -trimpath -pgo=$(PROFILE) -ldflags '$(LDFLAGS)' -o $(BIN)/ $(addprefix ./cmd/,$(PROGRAMS))

run: build ## a self-contained instance in run/, in the foreground
	@packaging/run-instance.sh

install: ## programs, units and configuration on this machine, or below DESTDIR; PREFIX=/usr
	@test -x $(BIN)/crowdsec || $(MAKE) build
	@BIN=$(BIN) DESTDIR=$(DESTDIR) PREFIX=$(PREFIX) UNITDIR=$(UNITDIR) packaging/install.sh

uninstall: ## remove programs and units again; configuration and data stay
	@DESTDIR=$(DESTDIR) PREFIX=$(PREFIX) UNITDIR=$(UNITDIR) packaging/uninstall.sh

test: ## every test, with the race detector; as root it installs what the tests need
	@test/run-tests.sh

fuzz: ## a minute for every decoder of outside bytes, put on record
	@test/fuzz.sh

bench: build ## speed beside that of other programs; BENCH="-lines 50000 -runs 1" is quick
	@go run ./test/bench $(BENCH)

profile: build ## tell the compiler anew where the time goes, after work on speed
	rm -rf .tools/profiles && mkdir -p .tools/profiles
	go run ./test/bench -only nginx,sshd -lines 300000 -runs 1 -profiles .tools/profiles
	go tool pprof -proto .tools/profiles/*.pprof > $(PROFILE)

bench-micro: ## benchmarks of the packages that a line goes through, six times each, for benchstat
	@go test -run '^$$' -bench . -skip '^BenchmarkMillionBuckets$$' -benchmem -count 6 ./internal/logprocessor/... ./internal/expression/...

lint: .tools/golangci-lint-$(GOLANGCI_VERSION) ## mistakes, and the walls between the packages
	.tools/golangci-lint-$(GOLANGCI_VERSION) run ./...

fmt: .tools/golangci-lint-$(GOLANGCI_VERSION) ## format everything
	.tools/golangci-lint-$(GOLANGCI_VERSION) fmt ./...

.tools/golangci-lint-$(GOLANGCI_VERSION):
	GOBIN=$(CURDIR)/.tools go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)
	mv .tools/golangci-lint $@

ci: lint test ## what must be green before anything lands

clean: ## remove what was built; the instance in run/ stays
	rm -rf bin .tools
