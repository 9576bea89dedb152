# Thin on purpose: each target is a line or two, the work is in scripts/ and in cargo.
.DEFAULT_GOAL := help
.PHONY: help drill run build screens screenshots lighthouse test lint bench soak fuzz sim ha

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-7s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build ## start a demo server that prints the addresses of console, till and wallet, log-ins, an API key and curl lines
	@scripts/demo

build: screens ## build target/release/hexiao with its screens
	@cargo build --release --locked -p hexiao

screens: ## build the screens into web/dist, if anything changed since
	@scripts/web build

screenshots: ## pictures of every page into target/screenshots
	@scripts/setup screens
	@scripts/web shots

lighthouse: build ## hold the dashboard to Lighthouse's scores, as one line of JSON
	@scripts/setup screens
	@scripts/web lighthouse

test: ## install what is missing, then run every test
	@scripts/setup test
	@scripts/test

lint: ## formatting, lints and types, licences and sources of dependencies
	@scripts/setup lint
	@scripts/lint

bench: build ## measure this machine beside its own ceilings, as JSON
	@scripts/setup bench
	@scripts/bench

soak: ## kill a loaded server 1,000 times, cut the power 5,000 times, look for lost or doubled answers
	@scripts/setup build
	@scripts/soak

sim: ## simulate failing nodes and databases; SEEDS=50000 by default, then every planted bug
	@scripts/setup build
	@SEEDS=$(SEEDS) scripts/sim

fuzz: ## feed every parser random input; HEXIAO_FUZZ_SECONDS for each, 60 by default
	@scripts/setup build
	@scripts/fuzz

ha: build ## three PostgreSQL nodes under Patroni on loopback: kill the leader KILLS times (10), count losses
	@scripts/setup ha
	@scripts/ha/run --kills $(or $(KILLS),10) --seed $(or $(SEED),1)

drill: build ## lose a machine under load, restore it from its archive, verify: RTO and RPO for both databases
	@scripts/setup postgresql
	@scripts/drill/run
