#!/bin/bash
# Ends by force every process that this session's commands started, by the mark in their environment, and writes
# down which.
spool=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P) || exit 1
mark=$(cat "$spool/mark")
for round in 1 2 3 4 5; do
  found=
  for entry in /proc/[0-9]*/environ; do
    if tr '\0' '\n' <"$entry" 2>/dev/null | grep -qxF -- "$mark"; then
      pid=${entry#/proc/}
      pid=${pid%/environ}
      kill -KILL "$pid" 2>/dev/null && found=yes && echo "$pid" >>"$spool/killed"
    fi
  done
  [ -z "$found" ] && exit 0
done
