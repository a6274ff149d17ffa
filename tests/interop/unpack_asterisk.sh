#!/bin/sh
# Unpack Debian's Asterisk, with the libraries that this machine lacks, into the directory that is named.
#
# Nothing is installed and no service starts. Debian 12 and 13 have no Asterisk, so there it comes from Debian 11, from
# the mirrors that this machine uses; apt verifies it against the keys of Debian.
set -eu
target=$1
work=$target.apt
keys=/usr/share/keyrings/debian-archive-keyring.gpg
rm -rf "$target" "$work"
mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$target"
work=$(cd "$work" && pwd)
sources=$work/sources.list
if apt-cache policy asterisk | grep -q 'Candidate: [0-9]'; then
    sources=/etc/apt/sources.list
    parts=/etc/apt/sources.list.d
else
    parts=-
    mirrors=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | sort -u)
    for mirror in $mirrors; do
        case $mirror in
            */debian/) echo "deb [signed-by=$keys] $mirror bullseye main" ;;
            */debian-security/) echo "deb [signed-by=$keys] $mirror bullseye-security main" ;;
        esac
    done > "$sources"
    test -s "$sources" || { echo "no Debian mirror is configured" >&2; exit 1; }
fi
apt() {
    apt-get -qq -o Dir::State::lists="$work/lists" -o Dir::Cache="$work/cache" -o Dir::Etc::sourcelist="$sources" \
        -o Dir::Etc::sourceparts="$parts" -o APT::Install-Recommends=false -o Acquire::Languages=none \
        -o Debug::NoLocking=true "$@"
}
export DEBIAN_FRONTEND=noninteractive
apt -o Acquire::http::Timeout=30 update
apt -o Acquire::http::Timeout=30 -y --download-only install asterisk > /dev/null
for package in "$work"/cache/archives/*.deb; do
    dpkg-deb --extract "$package" "$target"
done
rm -rf "$work" "$target/usr/share/doc" "$target/usr/share/man"
touch "$target/.unpacked"
