/** A place in a script: the script, and how many of its turns were played. */
export interface Place {
  readonly prompt: string
  readonly turn: number
}

/**
 * The summary with which the engine replaces a conversation when it compacts it. It carries the place in the script,
 * so that the model can go on from what it reads, like a real one.
 */
export function writeSummary(place: Place | undefined): string {
  const objective = '## Objective\n- Play the script of the user.\n\n## Next Move\n1. '
  if (!place) return `${objective}(none)`
  return `${objective}Go on with the script.\n\n\`\`\`script ${place.turn}\n${place.prompt}\n\`\`\``
}

/** The place a summary carries. */
export function readSummary(text: string): Place | undefined {
  const fenced = /^## Objective\n[\s\S]*?\n```script (\d+)\n([\s\S]*)\n```$/.exec(text.trim())
  if (fenced?.[1] === undefined || fenced[2] === undefined) return undefined
  return { prompt: fenced[2], turn: Number(fenced[1]) }
}
