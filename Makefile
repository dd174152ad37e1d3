# The two commands: `make demo` shows CallMe at work, `make test` proves it. Both bring what they need.
.DEFAULT_GOAL := help
.PHONY: help setup setup-dev deb demo test test-fast test-long lint types contracts unit live browser bench-audio

PY := .venv/bin/python
PYTEST := $(PY) -m pytest
UNIT := $(PYTEST) -n auto -m "not live and not browser and not long"

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

setup: ## .venv/bin/callme with everything it needs to run
	@scripts/setup.sh runtime

setup-dev:
	@scripts/setup.sh dev

demo: setup ## real calls through a real Asterisk into a sandbox CRM; DEMO=once ends by itself
	@scripts/debian.sh ffmpeg:ffmpeg
	@.venv/bin/callme demo $(if $(filter once,$(DEMO)),--once)

test: test-fast live browser ## everything: lint, types, contracts, unit, live calls, browser (under 20 minutes)

test-fast: lint types contracts unit ## the same without live calls and browser (under 2 minutes)

deb: ## dist/callme_*.deb for this Debian
	@packaging/deb/build.sh

test-long: lint types contracts ## everything at full size
	@scripts/debian.sh ffmpeg:ffmpeg -:openssh-server chromium:chromium chromedriver:chromium-driver debootstrap:debootstrap \
		systemd-analyze:systemd
	$(PYTEST)

bench-audio: setup-dev ## how fast recordings become mp3, beside plain ffmpeg and lame
	@scripts/debian.sh ffmpeg:ffmpeg lame:lame
	$(PY) -m tests.bench.bench_audio

lint: setup-dev ## style
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

types: setup-dev
	$(PY) -m mypy

contracts: setup-dev
	.venv/bin/lint-imports

unit: setup-dev
	@scripts/debian.sh ffmpeg:ffmpeg
	$(UNIT)

live: setup-dev
	@scripts/debian.sh ffmpeg:ffmpeg -:openssh-server
	$(PYTEST) -m "live and not long"

browser: setup-dev
	@scripts/debian.sh chromium:chromium chromedriver:chromium-driver
	$(PYTEST) -m "browser and not live and not long"
