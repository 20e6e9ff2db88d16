#!/usr/bin/env bash
# Builds the engine image from docker/engine with the engine version of pnpm-workspace.yaml.
#   engine-image.sh [target] [tag]    target: slim (default) or full; tag: opencode-engine:<version>[-full] unless given
# BASE_IMAGE, PYTHON_PACKAGES and PIP_INDEX_URL in the environment replace the Dockerfile's own; they can be read in the
# history of the image, so none has a password in it. Prints the tag.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

target="${1:-slim}"
version=$(sed -n "s/^ *'\{0,1\}opencode-ai'\{0,1\}: *//p" pnpm-workspace.yaml)
[[ "$version" =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]] || { echo "engine-image: no version of opencode-ai in the catalog of pnpm-workspace.yaml" >&2; exit 1; }
suffix=''
[[ "$target" == slim ]] || suffix="-$target"
tag="${2:-opencode-engine:$version$suffix}"

arguments=(--build-arg "OPENCODE_VERSION=$version")
for name in BASE_IMAGE PYTHON_PACKAGES PIP_INDEX_URL; do
  [[ -z "${!name-}" ]] || arguments+=(--build-arg "$name=${!name}")
done
docker build --file docker/engine/Dockerfile --target "$target" --tag "$tag" "${arguments[@]}" . >&2
echo "$tag"
