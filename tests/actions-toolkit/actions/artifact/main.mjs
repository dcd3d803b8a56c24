import {DefaultArtifactClient} from '@actions/artifact'
import * as core from '@actions/core'
import {resolve} from 'node:path'

const client = new DefaultArtifactClient()
const name = core.getInput('name')
const what = {
  async upload() {
    const files = core.getMultilineInput('path').map(path => resolve(path))
    const {size, digest} = await client.uploadArtifact(name, files, process.cwd(), {
      skipArchive: core.getBooleanInput('raw')
    })
    return `${size > 0} ${digest.length}`
  },
  async download() {
    const {artifact} = await client.getArtifact(name)
    const options = {path: resolve(core.getInput('path')), expectedHash: artifact.digest}
    const {digestMismatch} = await client.downloadArtifact(artifact.id, options)
    return digestMismatch ? 'damaged' : 'whole'
  },
  async list() {
    const {artifacts} = await client.listArtifacts()
    return artifacts.map(artifact => artifact.name).join()
  },
  async delete() {
    return String((await client.deleteArtifact(name)).id > 0)
  }
}
try {
  core.setOutput('answer', await what[core.getInput('do')]())
} catch (error) {
  core.setOutput('answer', error.message)
}
