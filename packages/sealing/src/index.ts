export { generateSealingKey, parseSealingKey, type SealingKey } from './key.ts'
export { createSealing, SealingError, type Sealing } from './sealing.ts'
