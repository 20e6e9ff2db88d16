import type { EngineFault } from './engine-model.ts'
import { fieldsOf, numberOf, optional, textOf } from './read.ts'

const MAX_TEXT = 500

/** A text of the engine or of a model provider, fit for clients: without stack and addresses, and with a bound. */
export function cleanText(text: string): string {
  const line = text
    .replace(/\n\s+at .*/s, '')
    .replaceAll(/\bhttps?:\/\/[^\s"')\]]+/g, '<address>')
    .replaceAll(/\s+/g, ' ')
    .trim()
  return line.length > MAX_TEXT ? `${line.slice(0, MAX_TEXT)}…` : line
}

/** Reads an error of the engine and leaves out response headers, response bodies and addresses of the provider. */
export function readFault(value: unknown): EngineFault | undefined {
  const fields = fieldsOf(value)
  const name = textOf(fields?.['name']) ?? textOf(fields?.['_tag'])
  if (!fields || name === undefined) return undefined
  const inner = fieldsOf(fields['data']) ?? fields
  return {
    name,
    message: cleanText(textOf(inner['message']) ?? name),
    ...optional('statusCode', numberOf(inner['statusCode'])),
    ...optional('retryable', typeof inner['isRetryable'] === 'boolean' ? inner['isRetryable'] : undefined),
  }
}
