/** The patch of one path; undefined when it is longer than the limit. */
export type PatchSection = Buffer | undefined

const HEADER = '\ndiff --git '

/**
 * Cuts what `diff-tree --patch` writes, where a path begins: every line of a content has a mark before it, so that none
 * is taken for a header.
 */
export async function* patchSections(output: AsyncIterable<Buffer>, maxBytes: number): AsyncGenerator<PatchSection> {
  let pieces: Buffer[] = []
  let bytes = 0
  let rest = Buffer.alloc(0)

  const keep = (piece: Buffer): void => {
    bytes += piece.length
    if (bytes <= maxBytes) pieces.push(piece)
    else pieces = []
  }
  const section = (): PatchSection => {
    const whole = bytes <= maxBytes ? Buffer.concat(pieces) : undefined
    pieces = []
    bytes = 0
    return whole
  }

  for await (const chunk of output) {
    rest = Buffer.concat([rest, chunk])
    for (let at = rest.indexOf(HEADER); at !== -1; at = rest.indexOf(HEADER)) {
      keep(rest.subarray(0, at + 1))
      yield section()
      rest = rest.subarray(at + 1)
    }
    const sure = Math.max(0, rest.length - HEADER.length)
    keep(rest.subarray(0, sure))
    rest = rest.subarray(sure)
  }
  keep(rest)
  if (bytes > 0) yield section()
}
