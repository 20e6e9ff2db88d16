import { looksSecret } from '../files/secret-names.ts'
import { shownPath } from './entry.ts'

/** Whether some name of a path says that what lies there is a secret. */
export const isSecretPath = (path: string): boolean => looksSecret(shownPath(path).split('/'))
