# The commands of everyday work; CMakePresets.json holds how things are built.
SHELL := /bin/bash
JOBS ?= $(shell nproc)
SOURCES = $(shell git ls-files '*.cpp' '*.hpp')

.PHONY: help packages build test protocols format check-format clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

packages: ## install what config/packages.txt lists and this machine lacks
	@missing=$$(grep -vE '^(#|$$)' config/packages.txt | while read -r p; do \
	  dpkg-query -W -f='$${db:Status-Status}' "$$p" 2>/dev/null | grep -qx installed || echo "$$p"; done); \
	if [ -n "$$missing" ]; then \
	  echo "installing:" $$missing; \
	  sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo; \
	  $$sudo apt-get update -q && \
	  $$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends $$missing; \
	fi

build: ## build everything (Release) into build/
	@cmake --preset release > build.log 2>&1 || { cat build.log; exit 1; }; rm -f build.log
	cmake --build --preset release -j $(JOBS)

test: packages build ## the whole test suite
	ctest --test-dir build -j $(JOBS) --output-on-failure

protocols: ## take over changed schemas: messages/schema.lock, docs/protocols.md
	@cmake --preset release > build.log 2>&1 || { cat build.log; exit 1; }; rm -f build.log
	cmake --build --preset release -j $(JOBS) --target protocols

format: ## rewrite sources as .clang-format says
	clang-format -i $(SOURCES)

check-format: packages ## fail where a source is not formatted
	clang-format --dry-run --Werror $(SOURCES)

clean: ## remove build/
	rm -rf build
