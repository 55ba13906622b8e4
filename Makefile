# `make up` runs Usher here, `make test` runs every test, `make check` those that need no Redis, and the form of the code.
# ARGS is passed on to `usher up`: make up ARGS="--port 9000"
# `make fuzz` tries what reads input with mutated input: make fuzz TARGET=json SECONDS=600
# `make mutate` changes the sources in small ways, and says what no test notices: make mutate ARGS="--only HTTP"
# `make chaos` breaks real clusters, and checks that no meeting gets two bots: make chaos SEED=1 MINUTES=10
# `make mixed-test` does so with nodes and runners of this version and of the one before, side by side
# `make update-test` updates a fleet from the version before under load, and takes that back
# `make compose-test` starts the containers of compose.yaml, breaks and updates them, and takes them down
# `make load-test` shows what users see of restarts, losses and additions: make load-test ARGS="--hold 30"
# `make attend-test` has bots attend for long, and under faults; `make attend-bench` measures them
# `make bench` measures speed, memory and start: make bench SECONDS=10 AOF=always ARGS="--rounds 3 --markdown"

.DEFAULT_GOAL := build
.PHONY: build up test check lint clean toolchain libraries

ARGS ?=
VENV := .build/venv
RELEASE := -c release --static-swift-stdlib --product usher
# Asking SwiftPM for it would wait for the tests that it runs.
DEBUG_BINARY := $(CURDIR)/.build/debug/usher

# The release binary: .build/release/usher
build: toolchain libraries
	swift build $(RELEASE)

# exec, so that Ctrl-C and SIGTERM reach usher itself.
up: build
	@.ci/install-packages redis-server
	@exec .build/release/usher up $(ARGS)

# The system tests run against the debug binary, which checks more.
test: toolchain libraries
	@.ci/install-packages redis-server haproxy iproute2 iptables chromium prometheus zsh fish docker-compose
	swift build --build-tests
	@$(MAKE) --no-print-directory --jobs 3 swift-test on-one mutants-of-chaos
	$(PYTEST) $(REAL_TIME)
	@echo "The tests on Sentinel, on Cluster, of the chaos machine and of mutants, side by side: each is shown at its end."
	@$(MAKE) --no-print-directory --jobs 4 --output-sync=target of-chaos on-cluster on-sentinel of-mutants
	$(PYTEST) --numprocesses 2 --dist loadfile $(RUNS_OF_CHAOS)

.PHONY: swift-test
swift-test:
	@echo swift test --skip-build --disable-xctest --quiet
	@timeout --kill-after=10 900 swift test --skip-build --disable-xctest --quiet || { status=$$?; \
	  [ $$status -ne 124 ] || echo "The Swift tests did not end within 15 minutes: without --quiet, they say which." >&2; \
	  exit $$status; }

# While one works: the form of the code, and the Swift tests that need no Redis.
WITHOUT_REDIS = AttendingBot|BotWire|Calendars|Compression|EventLoop|Fuzz|HTTP|JSON|Log|Metrics|Node|Processes|Scripts|UsherCommand|Webhooks
check: toolchain libraries lint
	swift build --build-tests
	swift test --skip-build --disable-xctest --quiet --filter '^($(WITHOUT_REDIS))Tests\.'

# The tests of both APIs, on each kind of Redis (the first run has them on a single one). A Cluster has slots besides, which
# the scripts of calendars have to keep to; files of recordings and exports are the same everywhere.
ON_EVERY_DEPLOYMENT = $(patsubst %,Tests/system/test_%.py,access admin behaviour_table bot_life bot_users bot_wire \
  bots_api client cross_api error_codes force_restart idempotency live meetings_api one_dispatch operator_webhook \
  planned_meetings removal status_and_watch status_reports stops timeline traces transcripts webhooks workspace)
ON_CLUSTER_TOO = Tests/system/test_calendars.py

# What is said in a meeting is heard as it is said: browsers that must keep up have the machine to themselves.
REAL_TIME = Tests/system/test_attend_words.py

# The chaos machine's own runs, whose leases last for 1.5 s: where so much else runs that no bot comes into its room
# within that, they show nothing.
RUNS_OF_CHAOS = Tests/chaos/tests/test_chaos.py Tests/chaos/tests/test_chaos_deployments.py

# They wait for processes much of the time, so they run side by side: so many at once, each with servers of its own.
SIDE_BY_SIDE ?= 6
PYTEST = USHER=$(DEBUG_BINARY) $(VENV)/bin/python -m pytest -q -p no:cacheprovider

.PHONY: on-one on-sentinel on-cluster mutants-of-chaos of-chaos of-mutants
on-sentinel: export USHER_TEST_PORTS = 20000-23999
on-cluster: export USHER_TEST_PORTS = 24000-27999
of-chaos: export USHER_TEST_PORTS = 28000-31999
on-one: $(VENV)/installed
	$(PYTEST) --numprocesses $(SIDE_BY_SIDE) --dist worksteal --ignore=$(REAL_TIME) Tests/system
on-sentinel on-cluster: on-%: $(VENV)/installed
	USHER_TEST_DEPLOYMENT=$* $(PYTEST) --numprocesses 2 --dist worksteal $(ON_EVERY_DEPLOYMENT) $(if $(filter cluster,$*),$(ON_CLUSTER_TOO))
# Their binary takes what time the others leave. The tests have it brought up to date themselves.
mutants-of-chaos: $(VENV)/installed
	PYTHONPATH=Tests/chaos:Tests/system $(VENV)/bin/python -m mutants.build
# The longest file comes first.
of-chaos: $(VENV)/installed
	$(PYTEST) --numprocesses 3 --dist loadfile Tests/chaos/tests/test_mutants.py \
	  $(filter-out %/test_mutants.py $(RUNS_OF_CHAOS),$(wildcard Tests/chaos/tests/test_*.py))
of-mutants: $(VENV)/installed
	$(PYTEST) Tests/mutate/tests

# Makes each change of Tests/mutate/catalogue, all in one build, and runs what must notice it; the exit status tells of
# survivors. Takes most of an hour; some of them by a word in their file or name, or all that there are:
# make mutate ARGS="--only Supervisor", make mutate ARGS=--list. `make test` checks that the list is fresh.
.PHONY: mutate
mutate: toolchain libraries $(VENV)/installed
	@.ci/install-packages redis-server haproxy
	@$(VENV)/bin/python Tests/mutate/mutate.py $(ARGS)

# The containers of compose.yaml from `up` to `down`, with a loss and an update under load. Not a part of `make test`: it
# needs a Docker daemon, or to be root to start one, and takes many minutes to build the images.
.PHONY: compose-test
compose-test:
	@Tests/compose/run $(ARGS)

# A bot that attends for an hour: what it takes stays as it was, and its clock goes right: make attend-test MINUTES=10.
# Before that a seed of the chaos machine with rooms of the lab, in which bots attend.
.PHONY: attend-test
attend-test: MINUTES = 60
attend-test: toolchain libraries $(VENV)/installed
	@.ci/install-packages redis-server chromium
	swift build --product usher
	USHER=$(DEBUG_BINARY) $(VENV)/bin/python Tests/chaos/chaos.py --seed 1 --minutes 0 --attend 3 \
		--seconds-per-seed 90
	MINUTES=$(MINUTES) $(PYTEST) -s Tests/system/long_attend.py

# Meetings of our own, for trying bots that attend, on this machine alone: usher up --attend --lab with the address that it
# prints.
.PHONY: lab
lab: build
	@exec .build/release/usher lab $(ARGS)

# A small speech service for trying, English only: usher up --attend --transcription-url with the address that it prints.
.PHONY: speech
speech: $(VENV)/installed
	@exec $(VENV)/bin/python Tests/lab/speech.py $(ARGS)

# Breaks a cluster of real processes for a seed, then for the next one, until the minutes are over; the exit status
# tells of violations. Like the system tests, it runs the debug binary. On other deployments of Redis:
# make chaos ARGS="--deployment sentinel --wait-replicas 2" (or cluster, 1); split brains need root.
.PHONY: chaos
SEED ?= 1
MINUTES ?= 5
chaos: toolchain libraries $(VENV)/installed
	@.ci/install-packages redis-server iproute2 iptables
	swift build --product usher
	USHER=$(DEBUG_BINARY) $(VENV)/bin/python Tests/chaos/chaos.py --seed $(SEED) \
		--minutes $(MINUTES) $(ARGS)

# The same with this version and the one before side by side, as during an update.
.PHONY: mixed-test
mixed-test: toolchain libraries $(VENV)/installed
	@.ci/install-packages redis-server iproute2 iptables
	swift build --product usher
	before=$$(Tests/chaos/build-version-before) && USHER=$(DEBUG_BINARY) \
		$(VENV)/bin/python Tests/chaos/chaos.py --beside "$$before" --seed $(SEED) --minutes $(MINUTES) $(ARGS)

# An update from the version before to this one, and back, under load, on each kind of Redis.
.PHONY: update-test
update-test: toolchain libraries $(VENV)/installed
	@.ci/install-packages redis-server haproxy
	swift build --product usher
	before=$$(Tests/chaos/build-version-before) && USHER_BEFORE="$$before" $(PYTEST) Tests/system/rolling_update.py

# Made anew when the requirements change.
$(VENV)/installed: Tests/system/requirements.txt
	@.ci/install-packages python3-venv
	rm -rf $(VENV)
	python3 -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	touch $@

# Seconds a phase; and Redis' append-only file: no, everysec or always.
.PHONY: bench
AOF ?= no
bench: SECONDS ?= 5
bench: build
	@.ci/install-packages redis-server wrk binutils python3
	@python3 Tests/bench/bench.py --seconds $(SECONDS) --aof $(AOF) $(ARGS)

# What a bot that attends takes beside others, and how long it takes until it asks to join and until words are written.
.PHONY: attend-bench
attend-bench: build $(VENV)/installed
	@.ci/install-packages redis-server chromium
	USHER=.build/release/usher $(VENV)/bin/python Tests/bench/attending.py $(ARGS)

# What readers of the console wait for, in Debian's Chromium: a cold start, 10,000 meetings, a transcript of 50,000 lines.
.PHONY: console-bench
console-bench: build $(VENV)/installed
	@.ci/install-packages redis-server chromium
	@USHER=.build/release/usher $(VENV)/bin/python Tests/bench/console.py

# What users see while operators restart, lose and add things; or half of the top load for MINUTES, by
# ARGS="--hold MINUTES". HAProxy in front, as in compose.yaml; the release binary.
.PHONY: load-test
load-test: build $(VENV)/installed
	@.ci/install-packages redis-server haproxy wrk
	USHER=.build/release/usher $(VENV)/bin/python Tests/operations/load_test.py $(ARGS)

# libFuzzer on one of http, json (the bodies of all requests), stream (what bots write to Redis), links, websocket, ical (feeds
# of calendars) and replies (what Redis says), from the corpus of the tests: make fuzz TARGET=json SECONDS=600. With RUNS it tries so many inputs without libFuzzer, which is faster.
# What it finds is left in .build/fuzz/; what it learns stays there too, so that the next run goes on from it. An input that
# takes too long is a find as well, and the slowest one is shown.
.PHONY: fuzz
fuzz: SECONDS ?= 60
fuzz: TARGET ?= http
fuzz: toolchain libraries
ifdef RUNS
	swift build -c release --product Fuzz
	@mkdir -p .build/fuzz && cd .build/fuzz && ../release/Fuzz $(TARGET) ../../Tests/FuzzTests/Corpus/$(TARGET) $(RUNS)
else
	swift build -c release --product Fuzz --sanitize fuzzer --scratch-path .build/fuzz -Xswiftc -DLIBFUZZER
	@mkdir -p .build/fuzz/$(TARGET) && cp Tests/FuzzTests/Corpus/$(TARGET)/* .build/fuzz/$(TARGET)/
	FUZZ_TARGET=$(TARGET) .build/fuzz/release/Fuzz -max_total_time=$(SECONDS) -max_len=4096 \
		-artifact_prefix=.build/fuzz/ .build/fuzz/$(TARGET)
endif

# The calls of the scripts in Swift, from the headers of lua/*.lua. A test checks that they are fresh.
.PHONY: scripts
scripts: toolchain
	swift run GenerateScripts

lint: toolchain
	swift format lint --strict -r Sources Tests Package.swift

clean:
	rm -rf .build

toolchain:
	@.ci/check-swift 6.1

libraries:
	@.ci/install-packages libcurl4-openssl-dev libhiredis-dev libical-dev libssl-dev zlib1g-dev
