#!/bin/sh
# Make the images that ours are built from, under their official names, without a registry of images: the engine of
# the tests need not reach one. Usage: base_images.sh PATH_OF_NATS_SERVER; needs root and debootstrap.
# Images that are there already (pulled, or made before) are left alone.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$here/../..
nats_server=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

has() { docker image inspect "$1" >/dev/null 2>&1; }

if ! has python:3.11-slim; then
    debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates bookworm "$work/root" >"$work/log" 2>&1 || {
        tail -5 "$work/log" >&2; exit 1; }
    # The official image has the interpreter as `python`, too.
    ln -sf python3 "$work/root/usr/bin/python"
    # A company's own certificate authority, as on this machine.
    cp /etc/ssl/certs/ca-certificates.crt "$work/root/etc/ssl/certs/ca-certificates.crt"
    rm -rf "$work/root/var/cache/apt" "$work/root/var/lib/apt/lists" "$work/root/usr/share/doc" "$work/root/usr/share/locale"
    tar -C "$work/root" -c . | docker import \
        --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
        --change 'ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt' --change 'CMD ["python3"]' - python:3.11-slim
fi

if ! has nats:2.12-alpine; then
    mkdir "$work/nats"
    cp "$nats_server" "$work/nats/nats-server"
    cp "$here/nats/Dockerfile" "$here/nats/wget" "$work/nats"
    docker build --quiet -t nats:2.12-alpine "$work/nats"
fi

if ! has clickhouse/clickhouse-server:26.8; then
    echo "STAND-IN: there is no ClickHouse server here; its embedded engine behind HTTP takes its place" >&2
    mkdir "$work/clickhouse"
    (cd "$root" && python3 deploy/docker/requirements_of.py --extras embedded services/reporting) \
        >"$work/clickhouse/requirements.txt"
    cp "$root/tests/support/chdb_http.py" "$here/nats/wget" "$here/clickhouse/Dockerfile" "$work/clickhouse"
    docker build --quiet -t clickhouse/clickhouse-server:26.8 "$work/clickhouse"
fi

# Debian's programs for the profile `monitoring`; there is none of Grafana.
monitor() {
    if ! has "$1" && command -v "$2" >/dev/null; then
        mkdir "$work/$3"
        cp "$(command -v "$2")" "$work/$3/program"
        cp "$here/nats/wget" "$here/monitoring/Dockerfile" "$work/$3"
        # The official programs carry their templates inside.
        mkdir "$work/$3/share"
        [ ! -d "/usr/share/prometheus/$3" ] || cp "/usr/share/prometheus/$3"/*.tmpl "$work/$3/share"
        docker build --quiet --build-arg "DATA=/$3" -t "$1" "$work/$3"
    fi
}
monitor prom/prometheus:v3.5.0 prometheus prometheus
monitor prom/alertmanager:v0.28.1 prometheus-alertmanager alertmanager
