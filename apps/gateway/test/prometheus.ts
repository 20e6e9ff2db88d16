import assert from 'node:assert/strict'

/** Samples of a scrape by name and labels, the labels in order of their names: `up{mode="remote"}`. */
export function readSamples(text: string): ReadonlyMap<string, number> {
  const samples = new Map<string, number>()
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue
    const [, name = '', labels = '', value] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line) ?? []
    assert.notEqual(name, '', `no sample: ${line}`)
    const sorted = [...labels.matchAll(/\w+="[^"]*"/g)].map(([label]) => label).toSorted()
    samples.set(sorted.length === 0 ? name : `${name}{${sorted.join(',')}}`, Number(value))
  }
  return samples
}
