const HEADER = 8
const MAX_LINE = 500

/**
 * The text of a container's log as the daemon sends it: frames of a header, whose last four bytes are the length, and
 * what was written. Long lines are cut.
 */
export function readLog(output: Buffer): string {
  const pieces: Buffer[] = []
  for (let at = 0; at + HEADER <= output.length;) {
    const end = at + HEADER + output.readUInt32BE(at + 4)
    pieces.push(output.subarray(at + HEADER, end))
    at = end
  }
  const lines = Buffer.concat(pieces).toString('utf8').trimEnd().split('\n')
  return lines.map((line) => line.slice(0, MAX_LINE)).join('\n')
}
