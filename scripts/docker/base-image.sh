#!/usr/bin/env bash
# Makes a lookalike of the official `node:<major>-bookworm-slim` from Debian's and npm's packages, and tags it with
# exactly that name, so that Dockerfiles build where no image registry can be reached. For tests: it trusts the extra
# certificate authorities of this machine, and takes apt's and npm's settings from it. Needs root, mmdebstrap, npm.
#
# A made image is kept as a file in $DOCKER_IMAGE_CACHE (default: ~/.cache/opencode-gateway) for the next daemon.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

node_version=$(<.node-version)
image="node:${node_version%%.*}-bookworm-slim"
extra_ca=/usr/local/share/ca-certificates
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

case "$(uname -m)" in
  x86_64) arch=x64 ;;
  aarch64) arch=arm64 ;;
  *) echo "base-image: no Node package for $(uname -m)" >&2; exit 1 ;;
esac

# What the image depends on; a change of any of it makes a new one.
recipe=$({ cat "${BASH_SOURCE[0]##*/}" 2>/dev/null || cat scripts/docker/base-image.sh; echo "$node_version $arch"
  find "$extra_ca" -name '*.crt' -type f -exec sha256sum {} + 2>/dev/null | sort; } | sha256sum | cut -c1-16)
if [[ "$(docker image inspect --format '{{index .Config.Labels "recipe"}}' "$image" 2>/dev/null)" == "$recipe" ]]; then
  echo "base-image: $image is there"
  exit
fi

cache="${DOCKER_IMAGE_CACHE:-$HOME/.cache/opencode-gateway}"
archive="$cache/base-$recipe.tar"
mkdir -p "$cache"
work=$(mktemp -d)
trap 'rm -rf "$work" "$archive.$$"' EXIT

if [[ ! -s "$archive" ]]; then
  # Node and npm from the npm registry, as /usr/local has them in the official image.
  (cd "$work" && npm install --silent --no-audit --no-fund --ignore-scripts --prefix fetched "node-linux-$arch@$node_version" npm@11)
  mkdir -p "$work/usr/bin" "$work/usr/lib/node_modules" "$work/usr/etc"
  cp "$work/fetched/node_modules/node-linux-$arch/bin/node" "$work/usr/bin/"
  cp -R "$work/fetched/node_modules/npm" "$work/usr/lib/node_modules/"
  ln -s ../lib/node_modules/npm/bin/npm-cli.js "$work/usr/bin/npm"
  ln -s ../lib/node_modules/npm/bin/npx-cli.js "$work/usr/bin/npx"
  # Whatever this machine has packages from, the images have them from there, too.
  echo "registry=$(npm config get registry 2>/dev/null)" >"$work/usr/etc/npmrc"

  # The places this machine has Debian bookworm from, when it has them; otherwise mmdebstrap knows where.
  apt-get indextargets --format '$(ORIGIN) $(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
    awk -v key="$keyring" '$1 == "Debian" && $3 ~ /^bookworm(-updates|-security)?$/ { print "deb [signed-by=" key "] " $2 " " $3 " " $4 }' |
    sort -u >"$work/machine.list"
  sources=()
  grep -q ' bookworm ' "$work/machine.list" && sources=("$work/machine.list")
  apt-config dump | grep -E '^Acquire::(http|https)::' >"$work/apt.conf" || true

  mkdir -p "$work/ca"
  find "$extra_ca" -name '*.crt' -type f -exec cp {} "$work/ca/" \; 2>/dev/null || true
  scratch="$work"
  (($(df --output=avail -k /dev/shm 2>/dev/null | tail -n 1) > 2000000)) && scratch=/dev/shm
  TMPDIR="$scratch" mmdebstrap --quiet --mode=root --format=tar --variant=minbase --include=ca-certificates \
    --keyring="$keyring" --aptopt="$work/apt.conf" \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    --customize-hook="copy-in $work/usr/bin $work/usr/lib $work/usr/etc /usr/local" \
    --customize-hook="copy-in $work/ca /usr/local/share" \
    --customize-hook='mv "$1"/usr/local/share/ca/* "$1/usr/local/share/ca-certificates/" 2>/dev/null; rmdir "$1/usr/local/share/ca"' \
    --customize-hook='chroot "$1" update-ca-certificates' \
    --customize-hook='chroot "$1" useradd --uid 1000 --user-group --create-home --shell /bin/bash node' \
    bookworm "$archive.$$" "${sources[@]}"
  mv "$archive.$$" "$archive"
fi

trust=()
[[ -n "$(find "$extra_ca" -name '*.crt' -type f 2>/dev/null)" ]] &&
  trust=(--change 'ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt PIP_CERT=/etc/ssl/certs/ca-certificates.crt')
docker import --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
  --change "ENV NODE_VERSION=$node_version" "${trust[@]}" --change 'CMD ["node"]' --change "LABEL recipe=$recipe" \
  "$archive" "$image" >/dev/null
echo "base-image: made $image"
