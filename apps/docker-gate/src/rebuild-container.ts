import { Compile } from 'typebox/compile'
import type { GateConfig } from './config.ts'
import { ContainerBody, labelNames } from './container-schema.ts'
import { Refusal } from './refusal.ts'

/** Says that a container came through this gate. */
export const GATE_LABEL = 'opencode-gateway.gate'

const validator = Compile(ContainerBody)

export interface RebuildOptions {
  config: Pick<GateConfig, 'image' | 'user' | 'networks' | 'runtimes' | 'mark' | 'bounds'>
  /** What the configured image is in this daemon. */
  imageId: string
}

/**
 * The body for the daemon, made anew: nothing of what came is handed on that is not named here. Throws `Refusal`. Where
 * the mounts lead is not looked at here.
 */
export function rebuildContainer(asked: unknown, { config, imageId }: RebuildOptions) {
  const body = read(asked)
  const { HostConfig: host } = body
  const { bounds } = config
  if (body.Image !== config.image && body.Image !== imageId)
    throw new Refusal(`image "${body.Image}" is not the configured one`)
  if (body.User !== config.user)
    throw new Refusal(`user "${body.User}" is not the configured one, "${config.user}" (DOCKER_USER)`)
  if (host.NetworkMode !== 'none' && !config.networks.includes(host.NetworkMode))
    throw new Refusal(`network "${host.NetworkMode}" is not allowed`)
  if (host.Runtime !== undefined && !config.runtimes.includes(host.Runtime))
    throw new Refusal(`runtime "${host.Runtime}" is not allowed`)
  within('Memory', host.Memory, bounds.memoryBytes)
  if (host.MemorySwap !== host.Memory) throw new Refusal('MemorySwap has to be the same as Memory')
  within('NanoCpus', host.NanoCpus, bounds.cpus * 1e9)
  within('PidsLimit', host.PidsLimit, bounds.pids)
  const tmpBytes = Number(/size=(\d+)/.exec(host.Tmpfs['/tmp'])?.[1])
  within('the size of /tmp', tmpBytes, host.Memory)
  unique(
    'Target of Mounts',
    host.Mounts.map(({ Target }) => Target),
  )
  unique(
    'Name of Ulimits',
    host.Ulimits.map(({ Name }) => Name),
  )
  return {
    // By its content: a name can come to mean another image.
    Image: imageId,
    User: config.user,
    WorkingDir: '/workspace',
    Env: [...body.Env],
    Labels: {
      [labelNames.owner]: body.Labels[labelNames.owner],
      [labelNames.session]: body.Labels[labelNames.session],
      [labelNames.epoch]: body.Labels[labelNames.epoch],
      [GATE_LABEL]: config.mark,
    },
    HostConfig: {
      NetworkMode: host.NetworkMode,
      ...(host.Runtime === undefined ? {} : { Runtime: host.Runtime }),
      Init: true,
      Privileged: false,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges:true'],
      ReadonlyRootfs: true,
      IpcMode: 'private',
      Tmpfs: { '/tmp': `rw,exec,nosuid,nodev,size=${tmpBytes},mode=1777` },
      Mounts: host.Mounts.map(({ Source, Target, ReadOnly }) => ({
        Type: 'bind',
        Source,
        Target,
        // What the gateway alone writes stays so.
        ReadOnly: ReadOnly || Target === '/run/models',
      })),
      Memory: host.Memory,
      MemorySwap: host.Memory,
      NanoCpus: host.NanoCpus,
      PidsLimit: host.PidsLimit,
      Ulimits: host.Ulimits.map(({ Name, Soft, Hard }) => ({ Name, Soft: Math.min(Soft, Hard), Hard })),
      LogConfig: { Type: 'json-file', Config: { 'max-size': host.LogConfig.Config['max-size'], 'max-file': '1' } },
      RestartPolicy: { Name: 'no' },
    },
  }
}

export type RebuiltContainer = ReturnType<typeof rebuildContainer>

function read(asked: unknown): ContainerBody {
  if (validator.Check(asked)) return asked
  const [first] = validator.Errors(asked)
  throw new Refusal(`the body of the container: ${first?.instancePath ?? ''} ${first?.message ?? 'is not as expected'}`)
}

function within(what: string, value: number, most: number): void {
  if (!(value <= most)) throw new Refusal(`${what} is ${value}; at most ${most} is allowed`)
}

function unique(what: string, values: readonly string[]): void {
  if (new Set(values).size !== values.length) throw new Refusal(`${what} is given twice`)
}
