export * from './observation.ts'
export * from './types.ts'
export { createSessions } from './sessions.ts'
