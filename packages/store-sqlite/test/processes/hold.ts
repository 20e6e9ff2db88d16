// Opens the database and keeps it until it is killed.
import { createSqliteStore } from '../../src/index.ts'

const [file = ''] = process.argv.slice(2)
const store = createSqliteStore({ file, owner: 'first' })
await store.open()
process.stdout.write('open\n')
