#!/bin/sh
# Make the virtual environment of the image and install the third-party requirements of a service, by hash.
# Usage: install_requirements.sh SERVICE_DIRECTORY; run in the root of the workspace. $EXTRAS: those of the packages.
set -eu
export UV_SYSTEM_CERTS=${UV_SYSTEM_CERTS:-true}
TOOLS=${TOOLS:-/opt/tools}
TARGET=${TARGET:-/opt/cato}
python=${PYTHON:-python3}
select=deploy/docker/requirements_of.py
lists=$(mktemp -d)

"$python" -m venv "$TOOLS"
"$TOOLS/bin/pip" install --quiet --no-cache-dir --disable-pip-version-check --require-hashes -r requirements-uv.txt
"$python" "$select" --build-tools >"$lists/tools.txt"
"$TOOLS/bin/uv" pip install --quiet --python "$TOOLS/bin/python" --require-hashes -r "$lists/tools.txt"

"$python" "$select" --extras "${EXTRAS-}" "$1" >"$lists/service.txt"
"$python" -m venv --without-pip "$TARGET"
"$TOOLS/bin/uv" pip install --quiet --python "$TARGET/bin/python" --compile-bytecode --require-hashes \
    -r "$lists/service.txt"
rm -r "$lists"
