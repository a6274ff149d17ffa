#!/bin/sh
# Build a service and the workspace libraries that it needs, and install them in the environment of the image.
# Usage: install_packages.sh SERVICE_DIRECTORY; run in the root of the workspace, after install_requirements.sh.
set -eu
TOOLS=${TOOLS:-/opt/tools}
TARGET=${TARGET:-/opt/cato}
python=${PYTHON:-python3}
wheels=$(mktemp -d)

"$python" deploy/docker/requirements_of.py --packages "$1" | while read -r package; do
    (cd "$package" && "$TOOLS/bin/hatchling" build -t wheel -d "$wheels")
done
"$TOOLS/bin/uv" pip install --quiet --python "$TARGET/bin/python" --compile-bytecode --no-deps --offline \
    "$wheels"/*.whl
rm -r "$wheels"
