import t from 'tap'
import {
  formatBytes, formatClock, formatDuration, formatPercent, formatSpeed, showControls
} from '../../example-client/src/format.ts'

t.test('bytes are written in the unit with at most three digits', async t => {
  t.equal(formatBytes(0, 'en'), '0 B')
  t.equal(formatBytes(999, 'en'), '999 B')
  t.equal(formatBytes(1000, 'en'), '0.98 KiB')
  t.equal(formatBytes(256 * 1024, 'en'), '256 KiB')
  t.equal(formatBytes(8 * 1024 ** 2, 'en'), '8 MiB')
  t.equal(formatBytes(1.534 * 1024 ** 3, 'en'), '1.53 GiB')
  t.equal(formatBytes(12.34 * 1024 ** 4, 'en'), '12.3 TiB')
  t.equal(formatBytes(5000 * 1024 ** 4, 'en'), '5,000 TiB')
})

t.test('speeds are bytes per second', async t => {
  t.equal(formatSpeed(2.5 * 1024 ** 2, 'en'), '2.5 MiB/s')
})

t.test('only a complete upload has 100 percent', async t => {
  t.equal(formatPercent(0, 200, 'en'), '0%')
  t.equal(formatPercent(87, 200, 'en'), '43%')
  t.equal(formatPercent(199, 200, 'en'), '99%')
  t.equal(formatPercent(200, 200, 'en'), '100%')
  t.equal(formatPercent(29, 100, 'en'), '29%')
  t.equal(formatPercent(0, 0, 'en'), '100%', 'an empty file')
})

t.test('durations have at most two units', async t => {
  t.equal(formatDuration(0, 'en'), '0 sec')
  t.equal(formatDuration(0.2, 'en'), '1 sec')
  t.equal(formatDuration(59.5, 'en'), '1 min')
  t.equal(formatDuration(61, 'en'), '1 min 1 sec')
  t.equal(formatDuration(3600, 'en'), '1 hr')
  t.equal(formatDuration(3 * 3600 + 25 * 60 + 7, 'en'), '3 hr 25 min')
  t.equal(formatDuration(90, 'zh'), '1 分钟 30 秒')
})

t.test('a time in a video has hours only if needed', async t => {
  t.equal(formatClock(7.9), '0:07')
  t.equal(formatClock(754), '12:34')
  t.equal(formatClock(3723), '1:02:03')
  t.equal(formatClock(-1), '0:00')
})

t.test('only invisible characters are marked', async t => {
  t.equal(showControls('invoice\u202Efdp.exe'), 'invoice\uFFFDfdp.exe')
  t.equal(showControls('a\u2067b\u2069\u200F\u061C\n\t\0\u009F\u2028c'), 'a\uFFFDb' + '\uFFFD'.repeat(8) + 'c')
  for (const name of ['报告 (1).pdf', 'דוח.pdf', '👩‍👩‍👧.png', 'e\u0301té.txt']) t.equal(showControls(name), name)
})
