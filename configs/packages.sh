#!/bin/sh
# packages.sh - what Entente needs from Debian 12, and the one step that
# installs it. Sourced by configs/demo/run.sh and tests/run.sh.

build_packages="gcc meson ninja-build pkg-config gettext libc6-dev
    libzmq3-dev libsqlite3-dev libmsgpack-dev uuid-dev libsodium-dev
    libzstd-dev libsmartcols-dev libconfuse-dev libcsv-dev libutf8proc-dev
    libqrencode-dev libxlsxwriter-dev zlib1g-dev iso-codes tzdata check
    scdoc"
test_packages="clang libclang-rt-14-dev sqlite3 python3 python3-zmq
    python3-msgpack python3-nacl python3-vobject python3-icalendar
    python3-openpyxl python3-zstandard procps util-linux
    zsh fish"

# as_root COMMAND...: directly, or through sudo.
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null 2>&1; then
        sudo "$@"
    else
        echo "run this as root, or install sudo: packages are missing" >&2
        return 1
    fi
}

# install_packages NAME...: those that are not there yet. Nothing is asked and
# nothing downloaded when all are.
install_packages() {
    missing=
    for package; do
        dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null |
            grep -qx installed || missing="$missing $package"
    done
    [ -z "$missing" ] && return 0
    echo "installing:$missing" >&2
    as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq >&2 &&
        as_root env DEBIAN_FRONTEND=noninteractive \
            apt-get install -y -qq --no-install-recommends $missing >&2
}
