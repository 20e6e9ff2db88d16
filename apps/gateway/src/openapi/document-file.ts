/** The committed document; a test holds it to what the routes say. */
export const documentFile = new URL('../../openapi.json', import.meta.url)
