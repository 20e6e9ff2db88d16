/** Paths and addresses inside of a container, as the entry point of the engine image has them. */
export const inside = {
  workspace: '/workspace',
  home: '/home/node',
  shell: '/run/shell',
  /** The engine's socket appears here. */
  sockets: '/run/engine',
  models: '/run/models',
  modelsSocket: '/run/models/models.sock',
} as const

/** Names in the directories that are mounted there. */
export const socketNames = { engine: 'engine.sock', models: 'models.sock' } as const
