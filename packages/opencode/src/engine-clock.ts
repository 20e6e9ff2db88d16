import { performance } from 'node:perf_hooks'

export interface EngineClock {
  /** Takes a time the engine has just told. */
  set(engineTime: number): void
  /** Milliseconds since the epoch by the engine's clock, behind it by at most the way of one answer, never ahead. */
  now(): number
  /** How long ago the engine told its time, in milliseconds. */
  ageMs(): number
}

/** The engine's clock, carried on by our monotonic one: our wall clock may differ from the engine's, or jump. */
export function createEngineClock(): EngineClock {
  let reading: { engineTime: number; takenAt: number } | undefined
  const ageMs = (): number => (reading ? performance.now() - reading.takenAt : Number.POSITIVE_INFINITY)
  return {
    ageMs,
    set(engineTime) {
      reading = { engineTime, takenAt: performance.now() }
    },
    now: () => (reading ? reading.engineTime + ageMs() : Date.now()),
  }
}
