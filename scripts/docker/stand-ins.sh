#!/usr/bin/env bash
# Makes the images that stand in for those of Caddy, nginx and Prometheus in tests, on the base of base-image.sh.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

for name in caddy nginx prometheus; do
  docker build --target "$name" --tag "stand-in-$name:latest" - <stand-ins/Dockerfile
done
