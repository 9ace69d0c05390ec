# The commands of everyday work; CMakePresets.json holds how things are built.
SHELL := /bin/bash
# One for each processor, and for each 1.5 GB of memory that is free: some sources take 1 GB.
JOBS ?= $(shell awk -v cpus=$$(nproc) '/^MemAvailable/ {m = int($$2 / 1500000)} \
  END {print m < 1 ? 1 : m < cpus ? m : cpus}' /proc/meminfo)
PREFIX ?= /usr/local
DESTDIR ?=
SOURCES = $(shell git ls-files '*.cpp' '*.hpp')
# make lint FILES="a.cpp b.cpp" looks at these only; FILES=changed at what differs from main. So
# does make mutants.
FILES ?= all

.PHONY: help packages configure build demo test check-all bench install protocols docs \
        format check-format lint clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# make packages LISTS="config/packages.txt config/packages-bench.txt" installs more.
LISTS ?= config/packages.txt
packages: ## install what config/packages.txt lists and this machine lacks
	@missing=$$(grep -hvE '^(#|$$)' $(LISTS) | while read -r p; do \
	  dpkg-query -W -f='$${db:Status-Status}' "$$p" 2>/dev/null | grep -qx installed || echo "$$p"; done); \
	if [ -n "$$missing" ]; then \
	  echo "installing:" $$missing; \
	  sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo; \
	  $$sudo apt-get update -q && \
	  $$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends $$missing; \
	fi

configure:
	@mkdir -p build
	@cmake --preset release > build/configure.log 2>&1 || { cat build/configure.log; exit 1; }

build: configure ## build everything (Release) into build/
	cmake --build --preset release -j $(JOBS)

demo: packages configure ## install, build and write a report on this repository
	cmake --build --preset release -j $(JOBS) --target symphony
	build/bin/symphony run config/melodies/repo-report.toml --input path=.
	@echo
	@echo "The report is in symphony-report/: open symphony-report/report.html in a browser,"
	@echo "or read symphony-report/report.md here."

# Where pure cores and what carries messages live: tested under sanitizers each time.
CORE_ROOMS = messages runtime actors
SUITE = build/suite/CTestTestfile.cmake

test: packages build ## the whole test suite, and the cores under sanitizers
	$(call build-preset,asan,$(CORE_ROOMS:%=tests_%))
	@mkdir -p build/suite
	@echo 'subdirs("$(CURDIR)/build")' > $(SUITE)
	@for room in $(CORE_ROOMS); do \
	  echo "include(\"$(CURDIR)/build/asan/tests/tests_$$room[1]_include.cmake\")"; done >> $(SUITE)
	UBSAN_OPTIONS=print_stacktrace=1 ctest --test-dir build/suite -j $(JOBS) --output-on-failure

# The long checks. Each has a preset, and a directory below build/.
SECONDS ?= 60
ASAN_TARGETS = tests_messages tests_runtime tests_actors tests_extensions
.PHONY: check-asan check-tsan fuzz

# $(call build-preset,PRESET,TARGETS)
define build-preset
@mkdir -p build/$(1)
@cmake --preset $(1) > build/$(1)/configure.log 2>&1 || { cat build/$(1)/configure.log; exit 1; }
cmake --build --preset $(1) -j $(JOBS) --target $(2)
endef

check-asan: packages ## the tests of every room under the address and undefined sanitizers
	$(call build-preset,asan,$(ASAN_TARGETS))
	ctest --preset asan -j $(JOBS)

check-tsan: packages ## the tests that need no scheduler of CAF under the thread sanitizer
	$(call build-preset,tsan,tests_runtime)
	ctest --preset tsan -j $(JOBS)

fuzz: packages ## run every fuzzer for SECONDS (60); a fault ends in the path of its input
	$(call build-preset,fuzz,fuzzers)
	tests/fuzz/run.sh build/fuzz $(SECONDS) $(JOBS)

check-all: test check-asan check-tsan fuzz ## the tests, and the long ones
	SYMPHONY_KILLS=200 SYMPHONY_POWER_CUTS=200 \
	  /usr/bin/python3 tests/actors/pit/artifacts/durability_test.py build/bin
	SYMPHONY_KILLS=50 SYMPHONY_KILL_TREE=/usr/include \
	  SYMPHONY_TREE_KILLS=200 SYMPHONY_POWER_CUTS=200 \
	  ctest --test-dir build -L durability --output-on-failure

.PHONY: mutants
N ?= 300
SEED ?= $(shell echo $$RANDOM)
mutants: packages ## try N (300) small bugs in FILES (all, changed, or "a.cpp b.cpp") that tests should notice
	/usr/bin/python3 tests/mutants/mutants.py --files "$(FILES)" --count $(N) --seed $(SEED)

bench: LISTS += config/packages-bench.txt
bench: packages configure ## run every benchmark, beside its peers; ends in a table of ratios
	cmake --build --preset release -j $(JOBS) --target benches symphony
	python3 bench/run.py

install: build ## install to $(DESTDIR)$(PREFIX); PREFIX is /usr/local unless set
	DESTDIR=$(DESTDIR) cmake --install build --prefix $(PREFIX) --strip

protocols: configure ## take over changed schemas: messages/schema.lock, docs/protocols.md
	cmake --build --preset release -j $(JOBS) --target protocols

docs: configure ## make docs/command-line.md anew from `symphony help`
	cmake --build --preset release -j $(JOBS) --target symphony
	python3 tests/docs/docs_test.py build/bin --write

format: packages ## rewrite sources as .clang-format says
	clang-format -i $(SOURCES)

check-format: packages ## fail where a source is not formatted
	clang-format --dry-run --Werror $(SOURCES)

lint: packages ## clang-tidy over the sources (FILES="a.cpp b.cpp", FILES=changed, or all)
	@cmake --preset lint > /dev/null
	cmake --build --preset lint -j $(JOBS)
	@files="$(FILES)"; \
	[ "$$files" != all ] || files=$$(git ls-files '*.cpp' ':!tests/fuzz' ':!tests/messages/codegen/*driver*'); \
	[ "$$files" != changed ] || files=$$(git diff --name-only --diff-filter=d main -- '*.cpp'); \
	[ -z "$$files" ] || printf '%s\n' $$files | xargs -P $(JOBS) -n 4 clang-tidy -p build/lint --quiet

clean: ## remove build/
	rm -rf build
