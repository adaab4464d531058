import t from 'tap'
import { Speedometer } from '../../example-client/src/speed.ts'

t.test('the speed is unknown in the first two seconds', async t => {
  const meter = new Speedometer()
  t.equal(meter.speed, null)
  meter.update(0, 0)
  meter.update(1000, 1000)
  t.equal(meter.speed, null)
  meter.update(2000, 2000)
  t.equal(meter.speed, 1000)
})

t.test('a new speed has about two thirds of the weight after three seconds, at any report rate', async t => {
  for (const interval of [100, 500, 3000]) {
    const meter = new Speedometer()
    meter.update(0, 0)
    meter.update(3000, 3000)
    for (let time = 3000 + interval; time <= 6000; time += interval) meter.update(3000 + (time - 3000) * 2, time)
    const speed = meter.speed as number
    t.ok(Math.abs(speed - (1000 + 1000 * (1 - Math.exp(-1)))) < 0.001, `every ${interval} ms: ${speed}`)
  }
})

t.test('two reports at the same time count as one', async t => {
  const meter = new Speedometer()
  meter.update(0, 0)
  meter.update(1000, 2000)
  meter.update(1500, 2000)
  t.equal(meter.speed, 500)
})

t.test('bytes that are sent again do not cause a negative speed', async t => {
  const meter = new Speedometer()
  meter.update(5000, 0)
  meter.update(1000, 2000)
  t.equal(meter.speed, 0)
})

t.test('the speed is measured again after a reset', async t => {
  const meter = new Speedometer()
  meter.update(0, 0)
  meter.update(9000, 3000)
  meter.reset()
  t.equal(meter.speed, null)
  meter.update(9000, 60_000)
  meter.update(11_000, 62_000)
  t.equal(meter.speed, 1000)
})
