#!/bin/bash
# Runs command.sh of this directory in the current one. Its output goes to files that only grow, its exit code to a
# file that appears whole and last. Bash complains on standard error of the group when the command was killed by a
# signal: that tells a killed command from one that exits with a code above 128.
spool=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P) || exit 1
unset OPENCODE_SERVER_PASSWORD OPENCODE_SERVER_USERNAME OPENCODE_CONFIG_CONTENT OPENCODE_AUTH_CONTENT
export "$(cat "$spool/mark")"
: >"$spool/started"
{ bash "$spool/command.sh" >>"$spool/stdout" 2>>"$spool/stderr" </dev/null; } 2>"$spool/signal"
code=$?
if [ -s "$spool/signal" ]; then code=killed; fi

# For the agent, which sees this script's output in the conversation.
head -c 2000 "$spool/command.sh"
printf '\n'
tail -c 8000 "$spool/stdout"
tail -c 4000 "$spool/stderr"
printf '\n(exit code %s)\n' "$code"

printf '%s' "$code" >"$spool/exit.new" && mv -- "$spool/exit.new" "$spool/exit"
