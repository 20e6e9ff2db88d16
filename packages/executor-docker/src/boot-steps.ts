import type { EngineBoot } from '@opencode-gateway/contracts'

/** Times the steps in which an engine comes up, one after the other. */
export interface BootSteps {
  readonly boot: EngineBoot
  /** This step is over, which began when the one before it was. */
  done(step: Exclude<keyof EngineBoot, 'beganAt'>): void
}

export function createBootSteps(): BootSteps {
  const boot: EngineBoot = { beganAt: Date.now() }
  let since = performance.now()
  return {
    boot,
    done(step) {
      const now = performance.now()
      boot[step] = Math.round(now - since)
      since = now
    },
  }
}
