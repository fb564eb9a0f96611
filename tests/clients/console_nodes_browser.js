// Looks at a fleet's nodes as an operator does, in Debian's Chromium, with axe-core looking on: takes one out by
// keyboard alone and lets it in again, sees one stop and come back.
//
// Environment: that of person.js, URL, TOKEN, NODE3 (the process of node3). Prints one line for each step, and
// ends with 1 at the first that fails.
const assert = require('node:assert')
const { PHONE, accessible, person, shot, step } = require('./person')

const { URL: base, TOKEN: token, NODE3: node3 } = process.env
const settle = Math.min(Number(process.env.SETTLE ?? 0), 5_000)

person(async ({ browser, context, page }) => {
  const row = name => page.locator('#nodes tr.node', { has: page.getByRole('rowheader', { name }) })
  const chip = (name, text) => row(name).locator('.chip', { hasText: text }).waitFor()
  const colours = name => row(name).locator('rect').evaluateAll(all => [...new Set(all.map(one => one.getAttribute('class')))])

  await step('the nodes are one of the pages', async () => {
    await page.goto(`${base}/console/login`)
    await page.getByLabel('Admin token').fill(token)
    await page.keyboard.press('Enter')
    await page.getByRole('link', { name: 'Nodes' }).click()
    await page.locator('#live[data-state="live"]').waitFor()
    await chip('node1', 'serving')
    await page.waitForFunction(() => document.querySelector('[data-node="node1"] rect.heat0'))
    await page.waitForFunction(() => /[1-9]/.test(document.querySelector('[data-chart="fleet-answered"] output').textContent))
    await accessible(page, 'the nodes')
  })
  await step('one is taken out, after a question, by keyboard alone', async () => {
    await row('node2').getByRole('link', { name: 'Drain node2' }).focus()
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Take node2 out until it is readmitted?' }).waitFor()
    await page.getByText('1024 of 4096 parts of the keys go to the other nodes, of which 3 serve').waitFor()
    await accessible(page, 'the question')
    await page.keyboard.press('Tab')
    for (let n = 0; n < 12 && await page.evaluate(() => document.activeElement.textContent) !== 'Drain'; n++) await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await page.waitForURL('**/console/nodes')
    await chip('node2', 'drained')
    await page.locator('#fleet').getByText('1 of 4 nodes not at full weight: node2.').waitFor()
    await row('node2').getByText('0', { exact: true }).waitFor()
  })
  await step('one that stops is seen to', async () => {
    process.kill(Number(node3), 'SIGSTOP')
    await chip('node3', 'no answer')
    await page.locator('#fleet h1.trouble').waitFor()
    assert((await colours('node3')).includes('heat7'), await colours('node3'))
    assert((await colours('node2')).includes('heat5'), await colours('node2'))
    // Upon what it was taken out stands beside it, with the way back.
    await page.getByRole('list', { name: 'Evidence against node3' }).getByText(/gateway\d \(\d+ of 100\).*no answer/).first().waitFor()
    await row('node3').getByRole('link', { name: 'Readmit node3' }).waitFor()
    await page.waitForTimeout(settle)
    await accessible(page, 'nodes in trouble')
    await shot(page, 'console-nodes', false)
    process.kill(Number(node3), 'SIGCONT')
    // It was taken out meanwhile, or not: in any case it answers again.
    await row('node3').locator('.chip', { hasText: /serving|suspect|ejected|probation|ramping/ }).waitFor()
  })
  await step('what was taken out is let in again', async () => {
    await row('node2').getByRole('link', { name: 'Readmit node2' }).click()
    await page.getByRole('button', { name: 'Readmit' }).click()
    await page.waitForURL('**/console/nodes')
    await row('node2').locator('.chip', { hasText: /probation|ramping|serving/ }).waitFor()
    await page.getByRole('link', { name: 'Actions' }).click()
    await page.getByRole('row', { name: /operator.*readmit.*node node2/ }).waitFor()
    await accessible(page, 'the record')
  })
  await step('every range has its strips', async () => {
    await page.goto(`${base}/console/nodes`)
    await page.locator('#live[data-state="live"]').waitFor()
    for (const name of ['1 h', '5 min']) {
      const answer = page.waitForResponse(r => r.url().includes('/console/data/history'))
      await page.getByRole('button', { name, exact: true }).click()
      assert.strictEqual((await answer).status(), 200)
      await page.locator('#over', { hasText: `The last ${name}` }).waitFor()
    }
  })
  await step('at a phone, and without JavaScript', async () => {
    await page.setViewportSize(PHONE)
    await accessible(page, 'the nodes on a phone')
    const plain = await browser.newContext({ javaScriptEnabled: false, storageState: await context.storageState() })
    const still = await plain.newPage()
    await still.goto(`${base}/console/nodes`)
    assert(await still.locator('[data-node="node2"] rect').count() > 0, 'no strip without a script')
    await plain.close()
  })
})
