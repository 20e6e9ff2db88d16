// `npm start`, `npm test`, `npm run check` and `npm run bench` on a machine that has only Node 20 and npm.
// This file stays readable to old Nodes, so that they can say what is wrong instead of a syntax error.
const [major = 0] = process.versions.node.split('.').map(Number)

if (major < 20) {
  console.error(`toolchain: Node ${process.versions.node} is too old. Install Node 20 or newer (24 is best).`)
  process.exitCode = 1
} else {
  const { main } = await import('./toolchain/main.mjs')
  await main(process.argv.slice(2))
}
