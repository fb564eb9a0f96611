// What people see of the status page: Debian's Chromium, by way of playwright-core, and axe-core.
//
//   node status_browser.js URL FOLDER PHASE [USER PASSWORD | TOKEN]
//
// Prints one line of JSON: what the page says, and what axe-core finds wrong with it in light and
// dark, wide and narrow. With a folder, a picture of it is kept there.
"use strict";

const path = require("path");
const { chromium } = require("playwright-core");
const axe = require.resolve("axe-core");

const [url, folder, phase, name, password] = process.argv.slice(2);
const WAYS = [
  { label: "light", colorScheme: "light", viewport: { width: 1100, height: 900 } },
  { label: "dark", colorScheme: "dark", viewport: { width: 1100, height: 900 } },
  { label: "phone", colorScheme: "light", viewport: { width: 360, height: 740 } },
];

// The pictures that docs/ has.
const KEPT = ["status-green-light", "status-green-phone", "status-red-light", "status-red-dark"];

async function judged(browser, way, prepare) {
  const context = await browser.newContext({ ...way, bypassCSP: true });
  const page = await context.newPage();
  const errors = [];
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("console", (said) => said.type() === "error" && errors.push(said.text()));
  await prepare(page);
  await page.addScriptTag({ path: axe });
  const found = await page.evaluate(() =>
    window.axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
  const violations = found.violations.map(
    (one) => `${way.label}: ${one.id}: ${one.nodes.map((node) => node.target.join(" ")).slice(0, 3).join(", ")}`);
  for (const width of [way.viewport.width, 320]) {
    await page.setViewportSize({ ...way.viewport, width });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
    if (wide) violations.push(`${way.label}: the page is wider than a window of ${width}`);
  }
  await page.setViewportSize(way.viewport);
  const told = await page.evaluate(() => ({
    headline: document.querySelector("h1").innerText.replace(/^[✓!?–]\s*/, "").trim(),
    text: document.getElementById("main").innerText,
    stale: document.documentElement.classList.contains("stale"),
  }));
  const picture = `status-${phase}-${way.label}`;
  if (folder !== "-" && KEPT.includes(picture)) await page.screenshot({ path: path.join(folder, `${picture}.png`) });
  await context.close();
  return { told, violations, errors };
}

const open = (to) => async (page) => { await page.goto(url + to); };

const PHASES = {
  me: async (page) => {
    await page.goto(`${url}/login`);
    await page.fill("#username", name);
    await page.fill("#password", password);
    await page.keyboard.press("Enter");
    await page.waitForURL("**/me");
  },
  operator: async (page) => {
    await page.goto(`${url}/operator`);
    await page.fill("#token", name);
    await page.keyboard.press("Enter");
    await page.waitForSelector("#write-h");
  },
  component: open("/components/g1.new"),
  history: open("/history"),
  login: open("/login"),
};

// Stays on one page, and tells when what it says changes of itself.
async function watch(browser) {
  const page = await (await browser.newContext()).newPage();
  await page.goto(url);
  const began = Date.now();
  const first = await page.locator("h1").innerText();
  await page.waitForFunction((was) => document.querySelector("h1").innerText !== was, first, { timeout: 30000 });
  return { told: { headline: (await page.locator("h1").innerText()).trim() }, took_ms: Date.now() - began, violations: [], errors: [] };
}

// Leaves the reader with a page whose server has gone.
async function orphan(browser) {
  const page = await (await browser.newContext()).newPage();
  await page.goto(url);
  console.error("opened");
  await page.waitForFunction(() => document.documentElement.classList.contains("stale"), null, { timeout: 40000 });
  return { told: { stale: true, text: await page.locator("#stale").innerText() }, violations: [], errors: [] };
}

// Without a script, by keyboard alone: the first stops of the tabulator, and where Enter leads.
async function keyboard(browser) {
  const page = await (await browser.newContext({ javaScriptEnabled: false })).newPage();
  await page.goto(url);
  const stops = [];
  for (let count = 0; count < 4; count += 1) {
    await page.keyboard.press("Tab");
    stops.push(await page.locator(":focus").innerText());
  }
  await page.keyboard.press("Enter");
  await page.waitForURL("**/components/**");
  return { told: { stops, headline: await page.locator("h1").innerText() }, violations: [], errors: [] };
}

async function main() {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
  });
  try {
    const alone = { watch, orphan, keyboard }[phase];
    if (alone) return console.log(JSON.stringify(await alone(browser)));
    const results = [];
    // Every colour is on these; of all others one look is enough.
    const ways = ["green", "red", "operator"].includes(phase) ? WAYS : WAYS.slice(0, 1);
    for (const way of ways) results.push(await judged(browser, way, PHASES[phase] || open("/")));
    console.log(JSON.stringify({
      told: results[0].told,
      violations: results.flatMap((one) => one.violations),
      errors: results.flatMap((one) => one.errors),
    }));
  } finally {
    await browser.close();
  }
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
