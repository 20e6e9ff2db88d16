import { storeConformance } from '@opencode-gateway/store-testing'
import { makeSqliteHarness } from './harness.ts'

storeConformance({ name: 'sqlite', make: makeSqliteHarness })
