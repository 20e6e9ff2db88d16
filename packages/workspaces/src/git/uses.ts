/** Who uses what, so that nothing is removed below somebody's feet. */
export interface Uses {
  /** Waits for a removal that is under way. */
  begin(name: string): Promise<Disposable>
  isUsed(name: string): boolean
  /** Removes what nobody uses, and keeps those who come meanwhile waiting; false when somebody does. */
  remove(name: string, work: () => Promise<void>): Promise<boolean>
}

export function createUses(): Uses {
  const counts = new Map<string, number>()
  const removals = new Map<string, Promise<void>>()
  const add = (name: string, change: 1 | -1): void => {
    const count = (counts.get(name) ?? 0) + change
    if (count === 0) counts.delete(name)
    else counts.set(name, count)
  }
  return {
    async begin(name) {
      for (let removal = removals.get(name); removal; removal = removals.get(name)) {
        // Whether it went well is told to who removes.
        await removal.catch(() => undefined)
      }
      add(name, 1)
      let used = true
      return {
        [Symbol.dispose]() {
          if (used) add(name, -1)
          used = false
        },
      }
    },
    isUsed: (name) => counts.has(name),
    async remove(name, work) {
      if (counts.has(name) || removals.has(name)) return false
      const removal = work()
      removals.set(name, removal)
      try {
        await removal
      } finally {
        removals.delete(name)
      }
      return true
    },
  }
}
