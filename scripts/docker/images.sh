#!/usr/bin/env bash
# Makes the images that tests need in the daemon of DOCKER_HOST: the base, engine and gateway on it, and what stands in
# for images of others.
#   images.sh [file]    file: is made as soon as that of the engine can be used
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

./base-image.sh
./engine-image.sh slim
[[ -z "${1-}" ]] || touch "$1"
docker build --file ../../docker/gateway/Dockerfile --target gateway --tag opencode-gateway:latest ../..
docker build --file ../../docker/gateway/Dockerfile --target docker-gate --tag opencode-gateway-docker-gate:latest ../..
# Both wait for their packages more than they work.
PYTHON_PACKAGES=if-reachable ./engine-image.sh full &
full=$!
./stand-ins.sh || { kill "$full" 2>/dev/null; exit 1; }
wait "$full"
