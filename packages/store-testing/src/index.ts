export { storeCases, storeConformance, type StoreSubject } from './conformance.ts'
export type { StoreCase, StoreCaseGroup, StoreHarness, WholeStore } from './harness.ts'
