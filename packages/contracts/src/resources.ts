import { Type, type Static } from 'typebox'

/** What a request may say of the container of its session. */
export const Resources = Type.Object(
  {
    memory: Type.Optional(
      Type.Union(
        [
          Type.Integer({ minimum: 1, description: 'Bytes.' }),
          Type.String({ pattern: '^[0-9]{1,15}[kKmMgG]?$', examples: ['768m'] }),
        ],
        {
          description: 'Bytes, or a number with `k`, `m` or `g`; at least 512m.',
        },
      ),
    ),
    cpus: Type.Optional(Type.Number({ minimum: 0.1, maximum: 1024, description: 'Processors; 0.5 is half of one.' })),
    pids: Type.Optional(Type.Integer({ minimum: 64, maximum: 1_000_000, description: 'Processes and threads.' })),
    disk: Type.Optional(
      Type.Union(
        [
          Type.Integer({ minimum: 1, description: 'Bytes.' }),
          Type.String({ pattern: '^[0-9]{1,15}[kKmMgG]?$', examples: ['500m'] }),
        ],
        {
          description:
            'What its runs may leave in the workspace: bytes, or a number with `k`, `m` or `g`. Looked at while they work; it is no fence.',
        },
      ),
    ),
    egress: Type.Optional(
      Type.Array(Type.String({ pattern: '^[^,\\s]{1,260}$' }), {
        maxItems: 50,
        description:
          'Hosts that programs in it can connect to, of those that the gateway allows: `host`, `host:port`, `*.domain`; `[]` is none.',
        examples: [['registry.example.com']],
      }),
    ),
  },
  {
    $id: 'Resources',
    additionalProperties: false,
    minProperties: 1,
    description:
      'What the container of the session may use, less than the gateway allows: `limits.container` of `GET /capabilities`.',
  },
)
export type Resources = Static<typeof Resources>

/** The same, read. */
export interface ContainerResources {
  memoryBytes?: number
  cpus?: number
  pids?: number
  /** Of the workspace, which is looked at while runs work. */
  diskBytes?: number
  /** Hosts, each as in the setting that names those of everybody; they are some of those. */
  egress?: readonly string[]
}

/** Below it an engine has no room to work. */
export const leastMemoryBytes = 512 * 1024 ** 2
