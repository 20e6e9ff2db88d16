#!/usr/bin/env bash
# Makes the images that tests need in the daemon of DOCKER_HOST: the base, and the engine on it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

./base-image.sh
./engine-image.sh slim
