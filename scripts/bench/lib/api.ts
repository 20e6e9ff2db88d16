import { request } from 'undici'

/** A session made over HTTP; throws unless the answer is 201. */
export async function createSession(gatewayUrl: string, prompt: string): Promise<string> {
  const answer = await request(`${gatewayUrl}/sessions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ prompt }),
  })
  const text = await answer.body.text()
  if (answer.statusCode !== 201) throw new Error(`POST /sessions answered ${answer.statusCode}: ${text}`)
  return (JSON.parse(text) as { session_id: string }).session_id
}

export function streamUrl(gatewayUrl: string, sessionId: string): string {
  return `${gatewayUrl}/sessions/${sessionId}/stream`
}
