#!/bin/bash
# Installs the Debian packages that the build and the tests need and that are missing, and checks the Swift tools.
set -euo pipefail

# Further ones may be named as arguments.
packages=(build-essential curl gzip jq libdeflate-dev libisal-dev libpq-dev libsqlite3-dev libxxhash-dev pkg-config python3 sqlite3 "$@")

fail() {
    echo "setup: $*" >&2
    exit 1
}

is_installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null || true)" = installed ]
}

install_debian_packages() {
    local missing=() package
    for package in "${packages[@]}"; do
        is_installed "$package" || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    local root=()
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null ||
            fail "missing packages: ${missing[*]}; run as root: apt-get install ${missing[*]}"
        root=(sudo)
        # Without a keyboard sudo must not wait for a password.
        if [ ! -t 0 ]; then root=(sudo -n); fi
    fi
    echo "setup: installing ${missing[*]}"
    local install=("${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends)
    # The lists of packages may be absent or old: fetched only where an installation fails without.
    "${install[@]}" "${missing[@]}" >/dev/null 2>&1 && return 0
    "${root[@]}" apt-get update -qq
    "${install[@]}" "${missing[@]}" >/dev/null || fail "could not install ${missing[*]}"
}

check_other_system() {
    local missing=() library tool
    for tool in cc curl pkg-config sqlite3 jq python3 gzip; do
        command -v "$tool" >/dev/null || missing+=("$tool")
    done
    if command -v pkg-config >/dev/null; then
        for library in libisal libdeflate libpq sqlite3 libxxhash; do
            pkg-config --exists "$library" || missing+=("$library (headers)")
        done
    fi
    [ ${#missing[@]} -eq 0 ] || fail "install these with this system's package manager: $(IFS=,; echo "${missing[*]}")
       (ISA-L is isa-l-devel, libdeflate-devel, libpq-devel, sqlite-devel and xxhash-devel on Fedora)"
}

check_swift() {
    local advice="Swift 6.2 or newer is needed: see https://www.swift.org/install/linux"
    command -v swift >/dev/null || fail "swift is not on the PATH. $advice"
    local version major minor
    version=$(swift --version 2>/dev/null | grep -oE 'Swift version [0-9]+\.[0-9]+' | grep -oE '[0-9]+\.[0-9]+' || true)
    [ -n "$version" ] || fail "swift --version does not say its version. $advice"
    major=${version%%.*}
    minor=${version#*.}
    if [ "$major" -lt 6 ] || { [ "$major" -eq 6 ] && [ "$minor" -lt 2 ]; }; then
        fail "this is Swift $version. $advice"
    fi
}

[ "$(uname -s)" = Linux ] || fail "elder-backup is built on Linux; this is $(uname -s)"
if command -v dpkg-query >/dev/null && command -v apt-get >/dev/null; then
    install_debian_packages
else
    check_other_system
fi
check_swift
