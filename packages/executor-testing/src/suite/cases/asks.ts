import type { ConformanceCase } from '../case.ts'
import { answerCases } from './answers.ts'
import { permissionCases } from './permissions.ts'
import { questionCases } from './questions.ts'
import { unattendedCases } from './unattended.ts'

export const askCases: readonly ConformanceCase[] = [
  ...unattendedCases,
  ...permissionCases,
  ...answerCases,
  ...questionCases,
]
