// Writes apps/gateway/openapi.json from the routes; with --check it only says whether the file is up to date.
import { readFileSync, writeFileSync } from 'node:fs'
import { renderOpenApi } from '@opencode-gateway/gateway/openapi'

const file = new URL('../apps/gateway/openapi.json', import.meta.url)
const document = await renderOpenApi()
if (!process.argv.includes('--check')) {
  writeFileSync(file, document)
} else if (readFileSync(file, 'utf8') !== document) {
  process.stderr.write('apps/gateway/openapi.json is not what the routes say. Write it anew: node scripts/openapi.ts\n')
  process.exitCode = 1
}
