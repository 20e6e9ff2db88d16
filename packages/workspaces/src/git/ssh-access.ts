import type { RemoteCall } from './remote-call.ts'

/**
 * Gives the key on its standard input to an agent of this call alone, which ends with it: a key of a request is in no
 * file. The word after the script is `$0`.
 */
const WITH_KEY = `key=$GATEWAY_GIT_SSH_KEY
unset GATEWAY_GIT_SSH_KEY
printf '%s\\n' "$key" | ssh-add -q - || { echo 'ssh-add: Permission denied (the private key cannot be used)' >&2; exit 255; }
unset key
ssh "$@"
code=$?
kill "$SSH_AGENT_PID"
exit $code`

/** What git needs in its environment to speak ssh. */
export function sshAccess(call: RemoteCall): Record<string, string> {
  const { sshKey } = call.credential ?? {}
  const options = ['-F', '/dev/null', ...optionsOf(call).flatMap((option) => ['-o', option])]
  const command = sshKey === undefined ? ['ssh'] : ['ssh-agent', 'sh', '-c', WITH_KEY, 'ssh']
  return {
    GIT_SSH_COMMAND: [...command, ...options].map(quoted).join(' '),
    GIT_SSH_VARIANT: 'ssh',
    // Nobody is there to type a passphrase.
    SSH_ASKPASS_REQUIRE: 'never',
    ...(sshKey === undefined ? {} : { GATEWAY_GIT_SSH_KEY: sshKey }),
  }
}

function optionsOf({ remote, addresses, credential, knownHostsFile }: RemoteCall): readonly string[] {
  const { sshKey, sshKeyFile } = credential ?? {}
  return [
    'BatchMode=yes',
    'ClearAllForwardings=yes',
    'ForwardAgent=no',
    'PermitLocalCommand=no',
    'ProxyCommand=none',
    'ConnectTimeout=30',
    'ServerAliveInterval=30',
    'UpdateHostKeys=no',
    `HostKeyAlias=${remote.port === 22 ? remote.host : `[${remote.host}]:${remote.port}`}`,
    `HostName=${addresses[0] ?? remote.host}`,
    'GlobalKnownHostsFile=/dev/null',
    `UserKnownHostsFile="${credential?.knownHostsFile ?? knownHostsFile}"`,
    `StrictHostKeyChecking=${credential?.knownHostsFile === undefined ? 'accept-new' : 'yes'}`,
    ...(sshKey === undefined
      ? [
          'IdentityAgent=none',
          'IdentitiesOnly=yes',
          `IdentityFile=${sshKeyFile === undefined ? 'none' : `"${sshKeyFile}"`}`,
        ]
      : ['IdentityAgent=SSH_AUTH_SOCK', 'IdentitiesOnly=no', 'IdentityFile=none']),
  ]
}

/** git hands its ssh command to a shell. */
function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`
}
