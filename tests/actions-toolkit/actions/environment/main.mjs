import {appendFileSync} from 'node:fs'

const {env} = process
const names = Object.keys(env).filter(name => name.startsWith('ACTIONS_')).sort()
const token = env.ACTIONS_RUNTIME_TOKEN
console.log(names.join())
console.log(`token ${token} and ${Buffer.from(token).toString('base64')}`)
console.log(`url ${new URL(env.ACTIONS_RESULTS_URL).hostname} ${env.ACTIONS_CACHE_SERVICE_V2} ${env.ACTIONS_CACHE_MODE}`)
console.log(`github ${Object.entries(env).some(([name, value]) => name.startsWith('GITHUB_') && value === token)}`)
// As actions do that want steps with a shell to reach the cache.
appendFileSync(env.GITHUB_ENV, `PASSED_ON=${token}\n`)
// For a test that looks for it everywhere else.
if (env.TOKEN_FILE) {
  appendFileSync(env.TOKEN_FILE, `${token}\n`)
}
