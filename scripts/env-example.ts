// Writes .env.example from the settings of the gateway.
import { writeFileSync } from 'node:fs'
import { renderEnvExample } from '@opencode-gateway/gateway/env-example'

writeFileSync(new URL('../.env.example', import.meta.url), renderEnvExample())
