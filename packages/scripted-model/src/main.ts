import { createScriptedModel } from './scripted-model.ts'

// Stands alone for benchmarks: `node src/main.ts [port] [host]`.
const port = Number(process.argv[2] ?? 9100)
const model = createScriptedModel()
const url = await model.listen({ host: process.argv[3] ?? '127.0.0.1', port })
process.stdout.write(`scripted model listening on ${url}\n`)
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => void model.close())
