#!/bin/sh
# Makes sure that what the build and the embedded database need is there. On Debian and its kin
# what is missing is installed; elsewhere it is named. Downloads nothing but packages.
set -eu

missing=""
need() { # command, Debian package
    command -v "$1" >/dev/null 2>&1 || missing="$missing $2"
}

need cc gcc
need make make

server=""
for candidate in "${DOSSIER_PG_BIN:-}" "$(pg_config --bindir 2>/dev/null || true)" \
    $(ls -d /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /opt/homebrew/opt/postgresql*/bin 2>/dev/null || true); do
    if [ -n "$candidate" ] && [ -x "$candidate/postgres" ] && [ -x "$candidate/initdb" ]; then
        server="$candidate"
    fi
done
[ -n "$server" ] || command -v postgres >/dev/null 2>&1 || missing="$missing postgresql"

if [ -n "$missing" ]; then
    if command -v apt-get >/dev/null 2>&1; then
        as_root=""
        [ "$(id -u)" = 0 ] || as_root="sudo"
        echo "installing:$missing"
        $as_root apt-get update -qq
        # The server binaries alone: Dossier runs its own cluster, so none is created here.
        $as_root sh -c "mkdir -p /etc/postgresql-common/createcluster.d &&
            echo 'create_main_cluster = false' > /etc/postgresql-common/createcluster.d/dossier.conf"
        # shellcheck disable=SC2086
        $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
    else
        echo "please install:$missing (PostgreSQL 13 or later: its server binaries)" >&2
        exit 1
    fi
fi

if ! command -v cargo >/dev/null 2>&1; then
    echo "please install Rust 1.90 or later (cargo): see https://rustup.rs" >&2
    exit 1
fi
