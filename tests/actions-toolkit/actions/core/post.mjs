import * as core from '@actions/core'

core.info(`post knows ${core.getState('word')} from ${core.getState('where')}`)
if (core.getInput('word') === 'fail') {
  core.setFailed('post fails on purpose')
}
