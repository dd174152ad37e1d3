#!/bin/sh
# Makes .venv with CallMe and its locked Python packages. Usage: scripts/setup.sh [runtime|dev]
# What was done is remembered by the checksum of what it was made from, so that a second run only looks.
set -eu
cd "$(dirname "$0")/.."
. scripts/said.sh

kind=${1:-runtime}
python=${PYTHON:-python3}
venv=.venv
log=$venv/setup.log

command -v "$python" >/dev/null 2>&1 || stop \
    "There is no $python: install Python 3.11 or newer, then run this again." \
    "Нет $python: установите Python 3.11 или новее и запустите эту команду ещё раз."
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || stop \
    "$("$python" --version) is too old: name Python 3.11 or newer with PYTHON=…" \
    "$("$python" --version) слишком старый: укажите Python 3.11 или новее через PYTHON=…"

# A virtual environment needs ensurepip, which Debian keeps in a package of its own.
environment() {
    [ ! -x "$venv/bin/python" ] || "$venv/bin/python" -c 'import pip' 2>/dev/null || rm -rf "$venv"
    [ ! -x "$venv/bin/python" ] || return 0
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        scripts/debian.sh "-:python3-venv"
        "$python" -c 'import ensurepip, venv' 2>/dev/null || stop \
            "$python cannot make virtual environments: install the “venv” part of this Python." \
            "$python не умеет создавать виртуальные окружения: установите для него модуль «venv»."
    fi
    say "· Making the virtual environment .venv" "· Создаётся виртуальное окружение .venv"
    rm -rf "$venv"
    "$python" -m venv "$venv"
}

failed() {
    if grep -qE 'NewConnectionError|NameResolutionError|ConnectTimeout|Temporary failure|Network is unreachable|Connection refused' "$log"; then
        stop "No network: give this machine access to a Python package index, then run this again." \
            "Нет сети: дайте машине доступ к хранилищу пакетов Python и запустите эту команду ещё раз."
    fi
    tail -n 8 "$log" >&2
    stop "pip failed; its whole story is in $log." "pip завершился с ошибкой; подробности — в $log."
}

# pip ARGUMENTS…: quietly, the story goes to the log.
pip() {
    "$venv/bin/python" -m pip --disable-pip-version-check --no-input "$@" >"$log" 2>&1 || failed
}

# once NAME FILES… -- ENGLISH RUSSIAN COMMAND…: runs the command unless it ran with these very files.
once() {
    stamp=$venv/.done-$1
    shift
    files=
    while [ "$1" != -- ]; do
        files="$files $1"
        shift
    done
    shift
    # shellcheck disable=SC2086  # a list of files
    sum=$(cat $files | sha256sum)
    if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$sum" ]; then
        return 0
    fi
    say "· $1" "· $2"
    shift 2
    "$@"
    printf '%s\n' "$sum" >"$stamp"
}

environment
case $kind in
    runtime) locks=requirements.lock ;;
    dev) locks=requirements-dev.lock ;;
    *) stop "Usage: scripts/setup.sh [runtime|dev]" "Использование: scripts/setup.sh [runtime|dev]" ;;
esac
once "$kind" $locks requirements-build.lock -- \
    "Installing Python packages from $locks; the first time takes a minute or two" \
    "Устанавливаются пакеты Python из $locks; в первый раз это минута-две" \
    pip install --require-hashes -r "$locks" -r requirements-build.lock
once package pyproject.toml requirements-build.lock -- \
    "Installing CallMe itself" "Устанавливается сам CallMe" \
    pip install --no-deps --no-build-isolation --no-index --editable .
say "✔ Ready: $venv/bin/callme" "✔ Готово: $venv/bin/callme"
