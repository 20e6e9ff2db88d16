export { storeCases, storeConformance, type StoreSubject } from './conformance.ts'
export type { StoreCase, StoreCaseGroup, StoreHarness } from './harness.ts'
