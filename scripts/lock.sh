#!/bin/sh
# Renews the lock files from pyproject.toml. Run by hand when a dependency changes; needs uv.
set -eu
cd "$(dirname "$0")/.."
compile() {
    uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url "$@"
}
compile pyproject.toml --extra uvloop --output-file requirements.lock
compile pyproject.toml --extra uvloop --group dev --output-file requirements-dev.lock
compile --group build --output-file requirements-build.lock
