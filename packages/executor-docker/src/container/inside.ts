/** Paths and addresses inside of a container, as the entry point of the engine image has them. */
export const inside = {
  workspace: '/workspace',
  home: '/home/node',
  shell: '/run/shell',
  /** The engine's socket appears here. */
  sockets: '/run/engine',
  models: '/run/models',
  modelsSocket: '/run/models/models.sock',
  egressSocket: '/run/models/egress.sock',
  /** Where the entry point relays to the egress socket. */
  egressProxy: 'http://127.0.0.1:4011',
} as const

/** Names in the directories that are mounted there. */
export const socketNames = { engine: 'engine.sock', models: 'models.sock', egress: 'egress.sock' } as const
