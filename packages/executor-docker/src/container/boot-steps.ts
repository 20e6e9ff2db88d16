import type { EngineBoot } from '@opencode-gateway/contracts'

/** Times the steps in which an engine comes up, one after the other. */
export interface BootSteps {
  readonly boot: EngineBoot
  /** What comes next begins now. */
  begin(): void
  /** This step is over, which began when the one before it was; one that is over twice took both times. */
  done(step: Exclude<keyof EngineBoot, 'beganAt'>): void
}

export function createBootSteps(): BootSteps {
  const boot: EngineBoot = { beganAt: Date.now() }
  let since = performance.now()
  return {
    boot,
    begin() {
      since = performance.now()
    },
    done(step) {
      const now = performance.now()
      boot[step] = (boot[step] ?? 0) + Math.round(now - since)
      since = now
    },
  }
}
