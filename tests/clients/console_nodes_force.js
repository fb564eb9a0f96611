// Takes a node out of a fleet in which as many are out as may be, as an operator does, in Debian's Chromium, with
// axe-core looking on: the second question says why it is asked, and only its button does it.
//
// Environment: that of person.js, URL, TOKEN. Prints one line for each step, and ends with 1 at the first that fails.
const { accessible, person, step } = require('./person')

const { URL: base, TOKEN: token } = process.env

person(async ({ page }) => {
  const row = page.locator('#nodes tr.node', { has: page.getByRole('rowheader', { name: 'node2' }) })
  const eject = async () => {
    await row.getByRole('link', { name: 'Eject node2' }).click()
    await page.getByRole('heading', { name: 'Take node2 out for a while?' }).waitFor()
    await page.getByRole('button', { name: 'Eject', exact: true }).click()
    await page.getByRole('heading', { name: 'Take node2 out although no more may be?' }).waitFor()
  }

  await step('the first question is refused, and a second one says why', async () => {
    await page.goto(`${base}/console/login`)
    await page.getByLabel('Admin token').fill(token)
    await page.keyboard.press('Enter')
    await page.getByRole('link', { name: 'Nodes' }).click()
    await eject()
    await page.getByText(/Of 4 nodes no more than 1 may be out at once.*node1 is .*parts of the keys go to/).waitFor()
    await accessible(page, 'the second question')
  })
  await step('it can be left', async () => {
    await page.getByRole('link', { name: 'Leave it' }).click()
    await row.locator('.chip', { hasText: 'serving' }).waitFor()
  })
  await step('its button does it all the same', async () => {
    await eject()
    await page.getByRole('button', { name: 'Eject all the same' }).click()
    await page.waitForURL('**/console/nodes')
    await row.locator('.chip', { hasText: 'ejected' }).waitFor()
  })
})
