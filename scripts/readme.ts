// Writes the table of settings into README.md.
import { readFileSync, writeFileSync } from 'node:fs'
import { renderEnvTable } from '@opencode-gateway/gateway/env-table'
import { replaceMarked } from './readme/marked.ts'

const file = new URL('../README.md', import.meta.url)
writeFileSync(file, replaceMarked(readFileSync(file, 'utf8'), 'environment', `\n${renderEnvTable()}\n`))
