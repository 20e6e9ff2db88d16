#!/usr/bin/env bash
# Makes the images that tests need in the daemon of DOCKER_HOST: the base, and engine and gateway on it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

./base-image.sh
./engine-image.sh slim
docker build --file ../../docker/gateway/Dockerfile --target gateway --tag opencode-gateway:latest ../..
docker build --file ../../docker/gateway/Dockerfile --target docker-gate --tag opencode-gateway-docker-gate:latest ../..
./engine-image.sh full
