// Looks at the console as a person does, in Debian's Chromium: logs in, watches a graph move, throttles a
// tenant and sees it, in light and dark and at a phone's width, with axe-core looking on.
//
// Environment: URL, TOKEN, TENANT (whom to throttle), COFFERDAM_PICTURES (a folder for pictures). Prints one line for
// each step, and ends with 1 at the first that fails.
const assert = require('node:assert')
const { PHONE, accessible, person, shot, step } = require('./person')

const { URL: base, TOKEN: token, TENANT: tenant } = process.env
person(async ({ browser, context, page }) => {
  await step('a stranger is sent to the login', async () => {
    await page.goto(`${base}/`)
    assert.match(page.url(), /\/console\/login$/)
    await accessible(page, 'the login')
  })
  await step('a wrong token is told so', async () => {
    await page.getByLabel('Admin token').fill('not-the-token-at-all')
    await page.keyboard.press('Enter')
    await page.getByRole('alert').waitFor()
    await accessible(page, 'the failed login')
  })
  await step('the token logs in, by keyboard alone', async () => {
    await page.getByLabel('Admin token').focus()
    await page.keyboard.type(token)
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Who uses it' }).waitFor()
    const cookies = await context.cookies()
    assert.deepStrictEqual(cookies.map(c => [c.httpOnly, c.sameSite, c.path]), [[true, 'Strict', '/console']])
    assert.strictEqual(await page.evaluate(() => document.cookie), '')
  })
  await step('the graph moves under load', async () => {
    await page.locator('#live[data-state="live"]').waitFor()
    const reads = page.locator('[data-chart="requests"] output').first()
    await page.waitForFunction(() => {
      const text = document.querySelector('[data-chart="requests"] output').textContent
      return /[1-9]/.test(text)
    })
    const values = new Set()
    const asOf = new Set()
    for (let n = 0; n < 60 && (values.size < 3 || asOf.size < 4); n++) {
      values.add(await reads.textContent())
      asOf.add(await page.locator('#as-of').textContent())
      await page.waitForTimeout(250)
    }
    assert(values.size >= 3, `the figure stands still: ${[...values]}`)
    assert(asOf.size >= 4, `the clock stands still: ${[...asOf]}`)
    // Something is drawn in the line's own colour.
    const drawn = await page.evaluate(() => {
      const canvas = document.querySelector('[data-chart="requests"] canvas')
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
      let blue = 0
      for (let n = 0; n < data.length; n += 4) if (data[n + 3] > 200 && data[n + 2] > data[n] + 80) blue += 1
      return blue
    })
    assert(drawn > 30, `${drawn} pixels of the line`)
  })
  await step('every range has its graph', async () => {
    for (const name of ['15 min', '1 h', '6 h', '1 day', '7 days', '90 days', '5 min']) {
      const answer = page.waitForResponse(r => r.url().includes('/console/data/history'))
      await page.getByRole('button', { name, exact: true }).click()
      assert.strictEqual((await answer).status(), 200)
    }
  })
  await step('the overview is open to everybody', async () => {
    await page.waitForTimeout(Math.min(Number(process.env.SETTLE ?? 0), 4000))
    await accessible(page, 'the overview')
    await shot(page, 'console-light')
  })
  await step('a tenant is throttled, after a question, and seen to be', async () => {
    await page.getByRole('link', { name: tenant, exact: true }).click()
    await page.locator('#live[data-state="live"]').waitFor()
    await accessible(page, "the tenant's page")
    await page.getByRole('link', { name: 'Change limits' }).click()
    await page.getByLabel('Requests a second').fill('many')
    await page.getByRole('button', { name: 'Go on' }).click()
    await page.getByRole('alert').waitFor()
    await page.getByLabel('Requests a second').fill('50')
    await accessible(page, 'the limits')
    await page.getByRole('button', { name: 'Go on' }).click()
    await page.getByText('none → 50').waitFor()
    await accessible(page, 'the question')
    await page.getByRole('button', { name: 'Change it' }).click()
    await page.waitForURL(`**/tenants/${tenant}`)
    await page.goto(`${base}/console/`)
    const row = page.locator('#rows tr', { hasText: tenant })
    await row.locator('.chip.throttled').waitFor()
    await page.locator('#verdict').getByText(/held to (its|their) limits/).waitFor()
    const first = await page.locator('#rows tr .chip').first().textContent()
    assert.match(first, /waits|refused/, 'trouble does not come first')
  })
  await step('what was done is on record', async () => {
    await page.getByRole('link', { name: 'Actions' }).click()
    await page.getByText('Requests a second: none → 50').waitFor()
    await accessible(page, 'the record')
    await page.getByRole('link', { name: 'Events' }).click()
    await page.getByText('tenant_throttled').or(page.getByText('is made to wait')).first().waitFor()
    await accessible(page, 'the events')
  })
  await step('a new credential is shown once', async () => {
    await page.goto(`${base}/console/tenants/${tenant}/rotate`)
    await accessible(page, 'the question of a rotation')
    await page.getByRole('button', { name: 'Make it' }).click()
    await page.getByText(/MEMCACHE_PASSWORD=\w{26}/).waitFor()
    await accessible(page, 'the credential')
  })
  await step('a cache is flushed, after a question', async () => {
    await page.goto(`${base}/console/tenants/${tenant}/flush`)
    await page.getByRole('button', { name: 'Flush' }).click()
    await page.waitForURL(`**/tenants/${tenant}`)
    await page.waitForTimeout(Math.min(Number(process.env.SETTLE ?? 0), 4000))
    await shot(page, 'console-tenant')
  })
  await step('dark, and at a phone', async () => {
    await page.goto(`${base}/console/`)
    await page.locator('#live[data-state="live"]').waitFor()
    await page.emulateMedia({ colorScheme: 'dark' })
    await page.waitForTimeout(300)
    await accessible(page, 'the dark overview')
    await shot(page, 'console-dark')
    await page.getByRole('button', { name: /^Theme/ }).click()
    assert.strictEqual(await page.locator('html').getAttribute('data-theme'), 'light')
    await page.getByRole('button', { name: /^Theme/ }).click()
    await page.setViewportSize(PHONE)
    await page.waitForTimeout(300)
    await accessible(page, 'the overview on a phone')
    await shot(page, 'console-phone', false)
    await page.setViewportSize({ width: 1360, height: 900 })
  })
  await step('it ends with a word to the server', async () => {
    await page.getByRole('button', { name: 'Log out' }).click()
    await page.waitForURL('**/console/login')
    await page.goto(`${base}/console/`)
    assert.match(page.url(), /login$/)
  })
  await step('it works without JavaScript', async () => {
    const plain = await browser.newContext({ javaScriptEnabled: false })
    const page = await plain.newPage()
    await page.goto(`${base}/console/login`)
    await page.getByLabel('Admin token').fill(token)
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.getByRole('row', { name: new RegExp(tenant) }).waitFor()
    await plain.close()
  })
})
