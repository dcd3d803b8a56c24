import * as cache from '@actions/cache'
import * as core from '@actions/core'

const paths = core.getMultilineInput('path')
const key = core.getInput('key')
if (core.getBooleanInput('older')) {
  delete process.env.ACTIONS_CACHE_SERVICE_V2
}
core.setOutput('available', cache.isFeatureAvailable())
if (core.getBooleanInput('save')) {
  core.setOutput('saved', await cache.saveCache(paths, key))
} else {
  core.setOutput('key', (await cache.restoreCache(paths, key, core.getMultilineInput('restore-keys'))) ?? 'none')
}
