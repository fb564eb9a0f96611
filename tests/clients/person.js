// What every script needs that looks at pages as a person does: Debian's Chromium by way of playwright-core,
// axe-core, steps with names, pictures.
//
// Environment: NODE_FOLDER (where the modules are), CHROMIUM, COFFERDAM_PICTURES (a folder for pictures, if any).
const assert = require('node:assert')
const path = require('node:path')
const modules = path.join(process.env.NODE_FOLDER, 'node_modules')
const { chromium } = require(path.join(modules, 'playwright-core'))
const axe = require(path.join(modules, 'axe-core')).source

const PHONE = { width: 375, height: 812 }
// WCAG 1.4.10: nothing is lost, and nothing scrolls both ways, at this width.
const NARROW = { width: 320, height: 640 }
const WCAG = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']

async function step (name, body) {
  const began = Date.now()
  await body()
  console.log(`${name}: ${Date.now() - began} ms`)
}

async function violations (page) {
  await page.evaluate(axe)
  const found = await page.evaluate(rules => globalThis.axe.run(document, { runOnly: rules }), WCAG)
  return found.violations.map(v => `${v.id}: ${v.nodes.map(n => `${n.target} ${n.any.map(a => a.message)}`).join('; ')}`)
}

/** No rule of WCAG 2.2 A or AA is broken, in light or dark, and the page is no wider than a narrow window. */
async function accessible (page, what) {
  const before = await page.evaluate(() => matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light')
  for (const colorScheme of [before === 'dark' ? 'light' : 'dark', before]) {
    await page.emulateMedia({ colorScheme })
    assert.deepStrictEqual(await violations(page), [], `axe-core on ${what}, ${colorScheme}`)
  }
  const size = page.viewportSize()
  await page.setViewportSize(NARROW)
  // Graphs follow the window a moment later.
  const width = () => document.documentElement.scrollWidth
  await page.waitForFunction(wanted => document.documentElement.scrollWidth <= wanted, NARROW.width, { timeout: 3000 }).catch(() => {})
  assert(await page.evaluate(width) <= NARROW.width, `${what} is ${await page.evaluate(width)} pixels wide in a window of ${NARROW.width}`)
  await page.setViewportSize(size)
}

async function shot (page, name, whole = true) {
  const shots = process.env.COFFERDAM_PICTURES
  if (shots) await page.screenshot({ path: path.join(shots, `${name}.png`), fullPage: whole, caret: 'initial' })
}

/** Runs `body` with a browser, a context and a page; whatever the browser complains of fails it. */
function person (body) {
  const run = async () => {
    const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ['--no-sandbox'] })
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, colorScheme: 'light', reducedMotion: 'reduce' })
    const page = await context.newPage()
    page.setDefaultTimeout(25_000)
    const complaints = []
    // The browser itself tells of answers that refuse something, which the steps ask for.
    const isAsked = text => /responded with a status of (400|401|404|409|422)/.test(text)
    page.on('console', m => m.type() === 'error' && !isAsked(m.text()) && complaints.push(m.text()))
    page.on('pageerror', error => complaints.push(String(error)))
    await body({ browser, context, page })
    assert.deepStrictEqual(complaints, [], 'the browser complains')
    await browser.close()
  }
  run().catch(error => {
    console.log(error.stack)
    process.exit(1)
  })
}

module.exports = { PHONE, accessible, person, shot, step }
