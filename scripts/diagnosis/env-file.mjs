import { readFile } from 'node:fs/promises'

/** Where docker/compose.yaml and its settings are. */
export const DEPLOYMENT = new URL('../../docker/', import.meta.url)

/** The text of docker/.env; undefined when there is none. @returns {Promise<string | undefined>} */
export async function envFile() {
  return await readFile(new URL('.env', DEPLOYMENT), 'utf8').catch(() => undefined)
}

/**
 * What compose reads in it: quotes around a value are not of it, nor is a comment behind it.
 *
 * @param {string} text
 * @returns {Map<string, string>}
 */
export function settingsIn(text) {
  return new Map([...text.matchAll(/^([A-Z_]+)=(.*)$/gm)].map(([, name = '', value = '']) => [name, valueOf(value)]))
}

/** @param {string} written */
function valueOf(written) {
  const [, single, double] = /^\s*(?:'([^']*)'|"([^"]*)")/.exec(written) ?? []
  return single ?? double ?? written.replace(/(?:^|\s)#.*/, '').trim()
}
