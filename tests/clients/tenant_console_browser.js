// Looks at the tenants' console as a tenant's developer does, in Debian's Chromium, with axe-core looking on.
//
// Environment: URL, TENANT (what `tenant add --json` printed), OTHER (a tenant whose name must not be seen),
// CLI (how to run the command line), COFFERDAM_PICTURES (a folder for pictures). Prints one line for each
// step, and ends with 1 at the first that fails.
const assert = require('node:assert')
const path = require('node:path')
const { execFileSync } = require('node:child_process')
const modules = path.join(process.env.NODE_FOLDER, 'node_modules')
const { chromium } = require(path.join(modules, 'playwright-core'))
const axe = require(path.join(modules, 'axe-core')).source

const { URL: base, OTHER: other, COFFERDAM_PICTURES: shots } = process.env
const tenant = JSON.parse(process.env.TENANT)
const cli = JSON.parse(process.env.CLI)

async function step (name, body) {
  const began = Date.now()
  await body()
  console.log(`${name}: ${Date.now() - began} ms`)
}

/** No rule of WCAG 2.2 A or AA is broken. */
async function accessible (page, what) {
  await page.evaluate(axe)
  const found = await page.evaluate(() => globalThis.axe.run(document, {
    runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']
  }))
  const broken = found.violations.map(v => `${v.id}: ${v.nodes.map(n => `${n.target} ${n.any.map(a => a.message)}`).join('; ')}`)
  assert.deepStrictEqual(broken, [], `axe-core on ${what}`)
}

async function shot (page, name, whole = true) {
  if (shots) await page.screenshot({ path: path.join(shots, `${name}.png`), fullPage: whole, caret: 'initial' })
}

async function main () {
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ['--no-sandbox'] })
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, colorScheme: 'light', reducedMotion: 'reduce' })
  const page = await context.newPage()
  page.setDefaultTimeout(25_000)
  const complaints = []
  const isAsked = text => /responded with a status of (401|422)/.test(text)
  page.on('console', m => m.type() === 'error' && !isAsked(m.text()) && complaints.push(m.text()))
  page.on('pageerror', error => complaints.push(String(error)))

  await step('a stranger is sent to the login', async () => {
    await page.goto(`${base}/`)
    assert.match(page.url(), /\/login$/)
    await accessible(page, 'the login')
    await page.getByLabel('User name').fill(tenant.username)
    await page.getByLabel('Password').fill('not-the-password')
    await page.keyboard.press('Enter')
    await page.getByRole('alert').waitFor()
    await accessible(page, 'the failed login')
  })
  await step('its own credential logs in, by keyboard alone', async () => {
    await page.getByLabel('Password').focus()
    await page.keyboard.type(tenant.password)
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'What you may have' }).waitFor()
    assert.strictEqual(await page.evaluate(() => document.cookie), '')
  })
  await step('the graph moves under load', async () => {
    await page.locator('#live[data-state="live"]').waitFor()
    const reads = page.locator('[data-chart="tenant-requests"] output').first()
    await page.waitForFunction(() => /[1-9]/.test(document.querySelector('[data-chart="tenant-requests"] output').textContent))
    const values = new Set()
    for (let n = 0; n < 80 && values.size < 3; n++) {
      values.add(await reads.textContent())
      await page.waitForTimeout(250)
    }
    assert(values.size >= 3, `the figure stands still: ${[...values]}`)
  })
  await step('the busiest keys come by themselves', async () => {
    await page.locator('#keys code', { hasText: 'user:' }).first().waitFor()
    await accessible(page, 'the overview')
  })
  await step('it sees only its own', async () => {
    const text = await page.locator('body').innerText()
    assert(!text.includes(other), 'another tenant is named')
    const status = await page.evaluate(name => fetch(`/data/history?names=tenant/${name}/reads`).then(r => r.status), other)
    assert.strictEqual(status, 400)
    const missing = await page.evaluate(() => fetch('/v1/tenants').then(r => r.status))
    assert.strictEqual(missing, 404)
    complaints.length = 0
  })
  await step('being slowed down is said in plain words', async () => {
    execFileSync(cli[0], [...cli.slice(1), 'tenant', 'limit', 'acme', '--ops', '600'])
    await page.locator('#standing').getByText(/You are slowed down|Some of your requests are refused/).waitFor()
    await page.locator('#limits tr.limited', { hasText: 'Requests' }).waitFor()
    await page.waitForTimeout(Number(process.env.SETTLE ?? 0))
    await accessible(page, 'the overview of one that is slowed down')
    await page.evaluate(() => window.scrollTo(0, 0))
    await shot(page, 'tenant-console-light')
    execFileSync(cli[0], [...cli.slice(1), 'tenant', 'limit', 'acme', '--ops', 'none'])
    await page.locator('#standing').getByText('All is well.').waitFor()
  })
  await step('alerts are set', async () => {
    await page.getByRole('link', { name: 'Alerts', exact: true }).click()
    await page.getByLabel('Hits below').fill('many')
    await page.getByRole('button', { name: 'Keep' }).click()
    await page.getByRole('alert').waitFor()
    await accessible(page, 'the alerts')
    await page.getByLabel('Hits below').fill('40')
    await page.getByRole('button', { name: 'Keep' }).click()
    await page.getByText('40 % over a minute').waitFor()
  })
  await step('a credential is replaced, and the old one revoked', async () => {
    await page.getByRole('link', { name: 'New credential' }).click()
    await accessible(page, 'the question')
    await page.getByRole('button', { name: 'Make it' }).click()
    await accessible(page, 'the credential')
    const text = await page.locator('pre').innerText()
    const [, username] = text.match(/MEMCACHE_USERNAME=(\S+)/)
    const [, password] = text.match(/MEMCACHE_PASSWORD=(\w{26})/)
    await page.getByRole('link', { name: 'It is noted' }).click()
    await page.getByRole('link', { name: `Revoke ${tenant.username}`, exact: true }).click()
    await page.getByRole('button', { name: 'Revoke' }).click()
    await page.waitForURL('**/login')
    await page.getByLabel('User name').fill(username)
    await page.getByLabel('Password').fill(password)
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'What you may have' }).waitFor()
  })
  await step('everything is flushed, after a question', async () => {
    await page.getByRole('link', { name: 'Flush' }).click()
    await page.getByRole('button', { name: 'Flush' }).click()
    await page.getByRole('heading', { name: 'What you may have' }).waitFor()
  })
  await step('dark, and at a phone', async () => {
    await page.locator('#live[data-state="live"]').waitFor()
    await page.emulateMedia({ colorScheme: 'dark' })
    await page.waitForTimeout(300)
    await accessible(page, 'the dark overview')
    await page.setViewportSize({ width: 375, height: 812 })
    await page.waitForTimeout(300)
    const width = await page.evaluate(() => document.documentElement.scrollWidth)
    assert(width <= 375, `the page is ${width} pixels wide on a phone`)
    await accessible(page, 'the overview on a phone')
    await shot(page, 'tenant-console-phone', false)
  })
  await step('it works without JavaScript', async () => {
    const plain = await browser.newContext({ javaScriptEnabled: false, storageState: await context.storageState() })
    const page = await plain.newPage()
    await page.goto(`${base}/`)
    await page.getByText('What you may have').waitFor()
    await plain.close()
  })
  await step('it ends with a word to the server', async () => {
    await page.getByRole('button', { name: 'Log out' }).click()
    await page.waitForURL('**/login')
    await page.goto(`${base}/`)
    assert.match(page.url(), /login$/)
  })
  assert.deepStrictEqual(complaints, [], 'the browser complains')
  await browser.close()
}

main().catch(error => {
  console.log(error.stack)
  process.exit(1)
})
