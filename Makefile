# What there is to do. `make` alone lists it.
.DEFAULT_GOAL := help
.PHONY: help setup run test check fmt lint docs bench clean

CARGO ?= cargo

help: ## list what there is
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/make \1\t\2/' | expand -t 14

setup: ## install what is missing (Debian), or say what is
	@sh ops/setup.sh

run: setup ## build and start a directory with real people on 127.0.0.1:8080
	@$(CARGO) build --release --bin dossier
	@exec ./target/release/dossier serve --demo $(ARGS)

test: setup ## all tests, each on its own database
	$(CARGO) test --lib --bins --tests --examples

fmt: ## formatting, checked
	$(CARGO) fmt --check

lint: ## clippy, warnings being errors
	$(CARGO) clippy --all-targets -- -D warnings

docs: ## documentation, warnings being errors
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --lib --no-deps --document-private-items

check: setup fmt lint docs test ## what CI runs, step for step

bench: setup ## benchmarks; ratios of one run count, not seconds
	$(CARGO) bench --bench log --bench crafter --bench http

clean: ## remove what was built
	$(CARGO) clean
