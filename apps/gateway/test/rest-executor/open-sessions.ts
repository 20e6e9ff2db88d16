import { createRestApi, fields } from './rest-api.ts'

/** Ids of the newest sessions that nobody has deleted. */
export async function openSessions(url: string): Promise<readonly string[]> {
  const { body } = await createRestApi(url).request('GET', '/sessions?limit=200')
  return [body['sessions']]
    .flat()
    .map(fields)
    .filter(({ closed }) => closed !== true)
    .map(({ session_id: id }) => String(id))
}
