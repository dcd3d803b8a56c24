import * as cache from '@actions/cache'
import * as core from '@actions/core'

const paths = core.getMultilineInput('path')
const key = core.getInput('key')
core.setOutput('available', cache.isFeatureAvailable())
if (core.getBooleanInput('save')) {
  core.setOutput('saved', await cache.saveCache(paths, key))
} else {
  core.setOutput('key', (await cache.restoreCache(paths, key, core.getMultilineInput('restore-keys'))) ?? 'none')
}
