/** Limits that belong to the wire, not to an installation. */
export const wireLimits = {
  promptCharacters: 50_000,
  commandCharacters: 50_000,
  systemPromptCharacters: 100_000,
  labels: 16,
  files: 1_000,
  gitDepth: 1_000_000,
  gitHosts: 10,
  gitSecretCharacters: 16_384,
  labelCharacters: 128,
  pageEvents: 1_000,
  pageSessions: 200,
  waitSeconds: 30,
  /** Objects and lists in each other, the body of the request included. */
  jsonDepth: 64,
} as const
