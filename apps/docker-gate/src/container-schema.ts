import { Type, type Static } from 'typebox'

const closed = { additionalProperties: false } as const
const only = <T extends string | number | boolean>(value: T) => Type.Literal(value)

/** Labels of the executor's containers. */
export const labelNames = {
  owner: 'opencode-gateway.owner',
  session: 'opencode-gateway.session',
  epoch: 'opencode-gateway.epoch',
} as const

/** Where something can be mounted in a container. */
const Target = Type.Union([
  only('/workspace'),
  only('/home/node'),
  only('/run/shell'),
  only('/run/engine'),
  only('/run/models'),
])

const Mount = Type.Object(
  { Type: only('bind'), Source: Type.String({ minLength: 2, maxLength: 4096 }), Target, ReadOnly: Type.Boolean() },
  closed,
)

const Ulimit = Type.Object(
  {
    Name: Type.Union([only('nofile'), only('core')]),
    Soft: Type.Integer({ minimum: 0, maximum: 65_536 }),
    Hard: Type.Integer({ minimum: 0, maximum: 65_536 }),
  },
  closed,
)

const HostConfig = Type.Object(
  {
    NetworkMode: Type.String({ maxLength: 128 }),
    Runtime: Type.Optional(Type.String({ maxLength: 128 })),
    Init: only(true),
    Privileged: Type.Optional(only(false)),
    CapDrop: Type.Tuple([only('ALL')]),
    SecurityOpt: Type.Tuple([only('no-new-privileges:true')]),
    ReadonlyRootfs: only(true),
    IpcMode: only('private'),
    Tmpfs: Type.Object(
      { '/tmp': Type.String({ pattern: '^rw,exec,nosuid,nodev,size=[1-9][0-9]{0,11},mode=1777$' }) },
      closed,
    ),
    Mounts: Type.Array(Mount, { maxItems: 5 }),
    Memory: Type.Integer({ minimum: 32 * 1024 ** 2 }),
    MemorySwap: Type.Integer({ minimum: 32 * 1024 ** 2 }),
    NanoCpus: Type.Integer({ minimum: 10_000_000 }),
    PidsLimit: Type.Integer({ minimum: 1 }),
    Ulimits: Type.Array(Ulimit, { maxItems: 2 }),
    LogConfig: Type.Object(
      {
        Type: only('json-file'),
        Config: Type.Object(
          { 'max-size': Type.String({ pattern: '^[1-9][0-9]{0,7}$' }), 'max-file': only('1') },
          closed,
        ),
      },
      closed,
    ),
    RestartPolicy: Type.Object({ Name: only('no') }, closed),
  },
  closed,
)

/** What the executor asks for, and nothing else: a name the schema does not have is refused, however it is written. */
export const ContainerBody = Type.Object(
  {
    Image: Type.String({ maxLength: 512 }),
    User: Type.String({ pattern: '^[1-9][0-9]{0,9}:[1-9][0-9]{0,9}$' }),
    WorkingDir: only('/workspace'),
    Env: Type.Array(Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_]*=', maxLength: 1024 * 1024 }), { maxItems: 128 }),
    Labels: Type.Object(
      {
        [labelNames.owner]: Type.String({ pattern: '^[A-Za-z0-9_-]{1,64}$' }),
        [labelNames.session]: Type.String({ pattern: '^[A-Za-z0-9_-]{1,64}$' }),
        [labelNames.epoch]: Type.String({ pattern: '^[0-9]{1,16}$' }),
      },
      closed,
    ),
    AttachStdin: Type.Optional(only(false)),
    AttachStdout: Type.Optional(only(false)),
    AttachStderr: Type.Optional(only(false)),
    Tty: Type.Optional(only(false)),
    HostConfig,
  },
  closed,
)
export type ContainerBody = Static<typeof ContainerBody>
