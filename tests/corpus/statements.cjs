// Prints how many statements the migrations in a folder have, and the extensions that they make,
// a line each.  A file that PostgreSQL's parser does not take counts as one.  Run where libpg-query is.
const fs = require('fs')
const path = require('path')
const { parse } = require('module').createRequire(process.cwd() + '/')('libpg-query')

async function main(folder) {
  let count = 0
  const extensions = new Set()
  for (const name of fs.readdirSync(folder).sort()) {
    const file = path.join(folder, name, 'migration.sql')
    if (!fs.existsSync(file)) continue
    const { stmts = [] } = await parse(fs.readFileSync(file, 'utf8')).catch(() => ({ stmts: [{}] }))
    count += stmts.length
    for (const { stmt } of stmts) if (stmt?.CreateExtensionStmt) extensions.add(stmt.CreateExtensionStmt.extname)
  }
  console.log(count)
  for (const name of [...extensions].sort()) console.log(name)
}
main(process.argv[2])
