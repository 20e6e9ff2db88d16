import { lstat } from 'node:fs/promises'
import { systemCode } from './files/system-errors.ts'

/** Whether there is something by this name, be it a link that leads nowhere. */
export async function exists(file: string): Promise<boolean> {
  try {
    await lstat(file)
    return true
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false
    throw error
  }
}
