/** Whether a client asks for an event stream by name. */
export function wantsEventStream(accept: string | undefined): boolean {
  return ranges(accept).some(({ type, refused }) => type === 'text/event-stream' && !refused)
}

/** Whether a client can be given an event stream: it takes everything unless it says what it takes. */
export function takesEventStream(accept: string | undefined): boolean {
  const named = ranges(accept)
  const match = ['text/event-stream', 'text/*', '*/*'].map((type) => named.find((range) => range.type === type))
  const best = match.find((range) => range !== undefined)
  return named.length === 0 || (best !== undefined && !best.refused)
}

function ranges(accept = ''): { type: string; refused: boolean }[] {
  return accept.split(',').flatMap((part) => {
    const [type = '', ...parameters] = part.split(';').map((piece) => piece.trim().toLowerCase())
    return type === '' ? [] : [{ type, refused: parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter)) }]
  })
}
