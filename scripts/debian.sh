#!/bin/sh
# Installs Debian packages for programs that are missing. Usage: scripts/debian.sh PROGRAM:PACKAGE…
# Quick when nothing is missing. `-` as the program means: look for the package itself.
set -eu
. "$(dirname "$0")/said.sh"

missing=
for pair in "$@"; do
    program=${pair%%:*} package=${pair#*:}
    if [ "$program" = - ]; then
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
    else
        command -v "$program" >/dev/null 2>&1 || missing="$missing $package"
    fi
done
missing=${missing# }
[ -n "$missing" ] || exit 0

by_hand_en="install $missing by hand, then run this again"
by_hand_ru="установите $missing вручную и запустите эту команду ещё раз"
command -v apt-get >/dev/null 2>&1 || stop \
    "This system has no apt-get: $by_hand_en." \
    "В этой системе нет apt-get: $by_hand_ru."

log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q "$@" >>"$log" 2>&1
}
failed() {
    code=$1
    [ "$code" -ne 77 ] || stop \
        "Neither root nor sudo: as root run “apt-get install $missing”, then run this again." \
        "Нет ни root, ни sudo: выполните от root «apt-get install $missing» и запустите эту команду ещё раз."
    if grep -qE 'Temporary failure|Could not resolve|Could not connect|Network is unreachable' "$log"; then
        stop "No network: connect this machine to its Debian mirror, then run this again." \
            "Нет сети: подключите машину к зеркалу Debian и запустите эту команду ещё раз."
    fi
    tail -n 5 "$log" >&2
    stop "apt-get failed: $by_hand_en." "apt-get завершился с ошибкой: $by_hand_ru."
}
say "· Installing Debian packages: $missing" "· Устанавливаются пакеты Debian: $missing"
# The package lists may be there and fresh enough; they are fetched once, when they are not.
# shellcheck disable=SC2086  # a list of packages
apt install -y --no-install-recommends $missing || {
    code=$?
    [ "$code" -ne 77 ] || failed 77
    : >"$log"
    apt update || failed $?
    apt install -y --no-install-recommends $missing || failed $?
}
