#!/usr/bin/env bash
# A Docker daemon for tests, beside any other of this machine: its files, its socket and its bridge are its own.
#   daemon.sh up [directory]     starts it, waits until it answers, prints its address for DOCKER_HOST
#   daemon.sh down [directory]   ends it and its containers; the images stay in the directory
# Needs root, dockerd, iptables, curl, iproute2, procps. Directory: /tmp/opencode-gateway-docker unless given.
set -euo pipefail

directory="${2:-/tmp/opencode-gateway-docker}"
socket="$directory/docker.sock"
pidfile="$directory/docker.pid"
# Networks when there is another daemon in this network namespace, which owns docker0 and the chains of iptables.
number=$((150 + $(cksum <<<"$directory" | cut -d ' ' -f 1) % 100))
bridge="ocgw$number"
networks="10.$number.0.0/16"

answers() { [[ "$(curl -s --max-time 1 --unix-socket "$socket" http://docker/_ping 2>/dev/null)" == OK ]]; }

pid_of_ours() {
  local pid
  pid=$(cat "$pidfile" 2>/dev/null) || return 1
  tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF -- "$pidfile" && echo "$pid"
}

another_runs() {
  local pid
  for pid in $(pgrep -x dockerd); do
    [[ "$(readlink "/proc/$pid/ns/net")" == "$(readlink /proc/self/ns/net)" ]] && return
  done
  return 1
}

rules() {
  iptables -w -t nat "$1" POSTROUTING -s "$networks" ! -d "$networks" -j MASQUERADE
  iptables -w "$1" FORWARD -s "$networks" -j ACCEPT
  iptables -w "$1" FORWARD -d "$networks" -j ACCEPT
}

take_away_rules() {
  while rules -D 2>/dev/null; do :; done
  ip link delete "$bridge" 2>/dev/null || true
}

up() {
  if pid_of_ours >/dev/null && answers; then
    echo "unix://$socket"
    return
  fi
  mkdir -p "$directory"
  local apart=() started
  if another_runs; then
    take_away_rules
    # A daemon with address pools that remembers a bridge of its own deletes docker0 at its start, whosever it is.
    rm -rf "$directory/root/network"
    ip link add "$bridge" type bridge
    ip address add "10.$number.0.1/24" dev "$bridge"
    ip link set "$bridge" up
    rules -I
    sysctl -qw net.ipv4.ip_forward=1
    apart=(--bridge "$bridge" --iptables=false --default-address-pool "base=$networks,size=24")
  fi
  setsid dockerd --data-root "$directory/root" --exec-root "$directory/exec" --pidfile "$pidfile" \
    --host "unix://$socket" "${apart[@]}" >"$directory/log" 2>&1 </dev/null &
  started=$!
  for _ in $(seq 600); do
    answers && break
    kill -0 "$started" 2>/dev/null || break
    sleep 0.1
  done
  answers || { echo 'daemon: dockerd does not answer; the end of its log:' >&2; tail -n 20 "$directory/log" >&2; exit 1; }
  echo "unix://$socket"
}

down() {
  local pid
  if pid=$(pid_of_ours); then
    kill -TERM "$pid"
    for _ in $(seq 300); do
      kill -0 "$pid" 2>/dev/null || break
      sleep 0.1
    done
    kill -KILL "$pid" 2>/dev/null || true
  fi
  ! ip link show "$bridge" >/dev/null 2>&1 || take_away_rules
}

case "${1-}" in
  up | down) "$1" ;;
  *) echo 'usage: daemon.sh up|down [directory]' >&2; exit 64 ;;
esac
