/** What others need to play the same scripts without a model server; loads no HTTP framework. */
export { isEnding, isFault, parseScript } from './script.ts'
export type { Fault, Step, ToolCall, Turn, Usage as ScriptedUsage } from './script.ts'
export { faultOf } from './faults.ts'
export { splitDeltas } from './text.ts'
export { createGates } from './gates.ts'
export type { Gates } from './gates.ts'
export { createWatch } from './watch.ts'
export type { Watch } from './watch.ts'
