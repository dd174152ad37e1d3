# Sourced by the other scripts: plain words in the user's language, and one way to stop.

# say ENGLISH RUSSIAN
say() {
    case "${LC_ALL:-${LC_MESSAGES:-${LANG:-}}}" in
        ru*) printf '%s\n' "$2" ;;
        *) printf '%s\n' "$1" ;;
    esac
}

# stop ENGLISH RUSSIAN: the one thing to do, then the end.
stop() {
    say "✘ $1" "✘ $2" >&2
    exit 1
}

# as_root COMMAND…: runs it as root, directly or through sudo; fails if neither is possible.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null 2>&1 && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
        sudo "$@"
    else
        return 77
    fi
}
