// memjs: every command over the binary protocol with SASL PLAIN. Prints `ok NAME` or `FAIL NAME`.
//
// Servers and credentials come from MEMCACHE_SERVERS, MEMCACHE_USERNAME and MEMCACHE_PASSWORD, the
// lines that `cofferdam tenant add` prints.
'use strict';

const assert = require('assert');
const memjs = require('memjs');

const logger = { log() {} };

function client(options) {
  return memjs.Client.create(undefined, { timeout: 15, conntimeout: 15, logger, ...options });
}

const tests = {
  async everyCommand(c) {
    assert.strictEqual((await c.get('none')).value, null);
    assert.strictEqual(await c.set('a', 'value', { expires: 600 }), true);
    assert.strictEqual((await c.get('a')).value.toString(), 'value');
    assert.strictEqual(await c.add('a', 'x', {}), false);
    assert.strictEqual(await c.add('b', 'x', {}), true);
    assert.strictEqual(await c.replace('a', 'm', {}), true);
    assert.strictEqual(await c.replace('none', 'x', {}), false);
    assert.strictEqual(await c.append('a', '>'), true);
    assert.strictEqual(await c.prepend('a', '<'), true);
    // memjs 1.3.2 sends an append for `prepend`.
    assert.ok(['<m>', 'm><'].includes((await c.get('a')).value.toString()));
    assert.strictEqual(await c.touch('a', 600), true);
    assert.strictEqual(await c.delete('a'), true);
    assert.strictEqual(await c.delete('a'), false);
    assert.strictEqual((await c.increment('n', 5, { initial: 7 })).value, 7);
    assert.strictEqual((await c.increment('n', 5, {})).value, 12);
    assert.strictEqual((await c.decrement('n', 2, {})).value, 10);
  },

  async manyAtOnce(c) {
    const numbers = [...Array(300).keys()];
    await Promise.all(numbers.map((n) => c.set(`m${n}`, `v${n}`, {})));
    const found = await Promise.all(numbers.map((n) => c.get(`m${n}`)));
    found.forEach((got, n) => assert.strictEqual(got.value.toString(), `v${n}`));
  },

  async largeValues(c) {
    const value = Buffer.alloc(900000, 'x');
    assert.strictEqual(await c.set('large', value, {}), true);
    assert.ok((await c.get('large')).value.equals(value));
  },

  async statsAndFlush(c) {
    const figures = await new Promise((resolve, reject) =>
      c.stats((error, server, stats) => (error ? reject(error) : resolve(stats)))
    );
    assert.ok('curr_items' in figures, 'curr_items');
    await c.set('a', 'x', {});
    await c.flush();
    assert.strictEqual((await c.get('a')).value, null);
  },

  async aWrongPasswordIsRefused() {
    if (!process.env.MEMCACHE_USERNAME) return;
    const saved = process.env.MEMCACHE_PASSWORD;
    process.env.MEMCACHE_PASSWORD = 'wrong';
    const wrong = client({ retries: 0, timeout: 2, conntimeout: 2 });
    process.env.MEMCACHE_PASSWORD = saved;
    let stored = false;
    try {
      stored = await wrong.set('a', 'x', {});
    } catch (error) {
      stored = false;
    }
    wrong.close();
    assert.ok(!stored, 'stored with a wrong password');
  },
};

async function main() {
  for (const [name, test] of Object.entries(tests)) {
    const c = client();
    try {
      await test(c);
      console.log(`ok ${name}`);
    } catch (error) {
      console.log(`FAIL ${name} ${String(error.stack || error).replace(/\n/g, ' | ')}`);
    }
    c.close();
  }
  process.exit(0);
}

main();
