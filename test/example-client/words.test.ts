import t from 'tap'
import { setLanguage } from '../../example-client/src/i18n.ts'
import {
  describeFailure, describeFigures, describeKept, describeMismatch, describeNames, describePercent, describeSpeed,
  describeState
} from '../../example-client/src/words.ts'
import type { Seen } from '../../example-client/src/state.ts'

const MiB = 1024 ** 2

function upload (rest: Partial<Seen> = {}): Seen {
  return {
    name: 'a.mp4',
    size: 100 * MiB,
    state: 'uploading',
    accepted: 25 * MiB,
    sent: 50 * MiB,
    speed: null,
    continuedAt: null,
    wait: null,
    failure: null,
    missing: null,
    restarted: false,
    instant: false,
    kept: undefined,
    ...rest
  }
}

t.test('every state has a text', async t => {
  t.equal(describeState(upload(), 0), 'Uploading')
  t.equal(describeState(upload({ continuedAt: 25 * MiB }), 0), 'Uploading, resumed at 25%')
  t.match(describeState(upload({ restarted: true }), 0), 'from the start')
  t.match(describeState(upload({ state: 'missing', missing: 'file' }), 0), 'resume at 25%')
  t.match(describeState(upload({ state: 'missing' }), 0), 'resume at 25%')
  t.match(describeState(upload({ state: 'missing', missing: 'permission' }), 0), 'the browser will ask')
  t.match(describeState(upload({ state: 'missing', missing: 'refused' }), 0), 'The browser denied access')
  t.match(describeState(upload({ state: 'missing', missing: 'changed' }), 0), 'has changed')
  t.equal(describeState(upload({ state: 'done' }), 0), 'Finished')
  t.match(describeState(upload({ state: 'done', instant: true }), 0), 'already had this file')
  for (const state of ['ready', 'queued', 'joining', 'paused', 'failed', 'elsewhere'] as const) {
    t.ok(describeState(upload({ state }), 0), state)
  }
  t.equal(describeState(upload({ state: 'cancelled' }), 0), '')
})

t.test('a waiting upload shows the reason and the time of the next attempt', async t => {
  const waiting = (why: NonNullable<Seen['wait']>['why'], nextTry: number | null) =>
    describeState(upload({ state: 'waiting', wait: { why, nextTry } }), 1000)
  t.equal(waiting('unreachable', 9000),
    'The server cannot be reached. Retrying in 8 sec. Uploaded data is safe.')
  t.match(waiting('server', 1000), 'Retrying now')
  t.match(waiting('offline', null), 'No network')
  t.match(waiting('full', 5000), 'disk of the server is full')
  t.match(waiting('busy', 5000), 'still busy')
  t.match(waiting('stalled', 1000), 'Reconnecting')
})

t.test('figures contain the accepted bytes, the speed and the time left', async t => {
  t.equal(describeFigures(upload()), '25 MiB of 100 MiB')
  t.equal(describeFigures(upload({ speed: 5 * MiB })), '25 MiB of 100 MiB · 5 MiB/s, 10 sec left')
  t.equal(describeFigures(upload({ state: 'done' })), '100 MiB')
  t.equal(describeSpeed(0, 100), '', 'without progress, the remaining time is unknown')
})

t.test('an empty file has 0 percent until it is finished', async t => {
  const empty = { size: 0, accepted: 0, sent: 0 }
  t.equal(describePercent(upload()), '25%')
  t.equal(describePercent(upload({ ...empty, state: 'queued' })), '0%')
  t.match(describeState(upload({ ...empty, state: 'missing' }), 0), 'resume at 0%')
  t.equal(describePercent(upload({ ...empty, state: 'done' })), '')
  t.equal(describePercent(upload({ state: 'ready' })), '')
})

t.test('failures and the effects of a reload have texts', async t => {
  t.equal(describeFailure(null), '')
  t.match(describeFailure({ reason: 'file' }), 'was changed, moved or deleted')
  t.match(describeFailure({ reason: 'tooLarge' }), 'larger than the server accepts')
  t.match(describeFailure({ reason: 'gone' }), 'no longer')
  t.match(describeFailure({ reason: 'refused', status: 403 }), '403')
  t.equal(describeKept(upload()), '')
  const ways: Seen['kept'][] = ['copy', 'handle', 'record', null]
  const words = (state: Seen['state']) => ways.map(kept => describeKept(upload({ kept, state })).split('page, ')[1])
  const others = ['choose the same file again to resume.', 'the upload is lost and must start over.']
  const resumes = ['the upload resumes automatically.', 'the upload resumes after one click at most.']
  t.same(words('uploading'), [...resumes, ...others])
  t.same(words('paused'), ['the upload is kept.', 'the upload is kept.', ...others])
})

t.test('a wrong file is refused with the first difference', async t => {
  const wanted = { name: 'a.mp4', size: 6 * MiB, lastModified: 1 }
  t.match(describeMismatch(wanted, { ...wanted, size: 5 * MiB }), 'its size is 5 MiB, not 6 MiB')
  t.match(describeMismatch(wanted, { ...wanted, size: 6 * MiB + 1 }), 'its size is 6,291,457 B, not 6,291,456 B')
  t.match(describeMismatch(wanted, { ...wanted, name: 'b.mp4' }), '“b.mp4” is not the file')
  t.match(describeMismatch(wanted, { ...wanted, lastModified: 2 }), 'modification date is different')
  t.match(describeMismatch(wanted, wanted), 'its content')
})

t.test('texts are in the language of the page', async t => {
  setLanguage('zh')
  t.teardown(() => setLanguage('en'))
  t.equal(describeState(upload(), 0), '正在上传')
  t.equal(describeFigures(upload({ speed: 5 * MiB })), '25 MiB / 100 MiB · 5 MiB/s，还需 10 秒')
})

t.test('a text about several files has the first name and the number of the others', async t => {
  t.equal(describeNames('alreadyHere', []), '')
  t.equal(describeNames('alreadyHere', ['a.mp4']), '“a.mp4” is already in the list.')
  const names = ['a.mp4', 'b.mp4', 'c.mp4', 'd.mp4']
  t.equal(describeNames('alreadyHere', names), '“a.mp4” and 3 more are already in the list.')
  t.match(describeNames('unreadable', names.slice(2)), '“c.mp4” and 1 more cannot be read')
})
