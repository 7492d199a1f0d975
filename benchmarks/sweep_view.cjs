/** Opens sweeps in a real browser for `sweep_view.py`: prints milliseconds as JSON, one line for each question. */
const readline = require('readline');
const { chromium } = require('../ui-tests/node_modules/@playwright/test');

const [address, browserPath] = process.argv.slice(2);
const VIEW = '.jp-mls-SweepView';

async function open(page, id, tab) {
  await page.evaluate(async () => {
    await window.jupyterapp.commands.execute('application:close-all');
  });
  await page.waitForFunction(view => document.querySelector(view) === null, VIEW);
  // Measured in the page: from the command to the frame after the first plot is drawn.
  return page.evaluate(
    ([one, part, view]) =>
      new Promise(done => {
        const began = performance.now();
        const look = () => {
          const drawn = document.querySelector(`${view} .main-svg .plot path, ${view} .main-svg .points path`);
          if (drawn) {
            requestAnimationFrame(() => setTimeout(() => done(performance.now() - began)));
          } else {
            requestAnimationFrame(look);
          }
        };
        void window.jupyterapp.commands.execute('mlstudio:open-run', { id: one, tab: part });
        look();
      }),
    [id, tab, VIEW]
  );
}

/** Longest time that the page did not answer while it follows for some seconds. */
async function longest(page, ms) {
  return page.evaluate(
    time =>
      new Promise(done => {
        let worst = 0;
        let last = performance.now();
        const began = last;
        const tick = () => {
          const now = performance.now();
          worst = Math.max(worst, now - last);
          last = now;
          if (now - began > time) {
            done(worst);
          } else {
            setTimeout(tick, 10);
          }
        };
        tick();
      }),
    ms
  );
}

async function count(page) {
  return page.evaluate(view => document.querySelector(`${view} .jp-mls-SweepHead-count`)?.textContent ?? '', VIEW);
}

async function main() {
  const browser = await chromium.launch({
    executablePath: browserPath,
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage']
  });
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  await page.goto(address);
  await page.waitForFunction(() => 'jupyterapp' in window);
  await page.evaluate(async () => {
    await window.jupyterapp.restored;
  });
  console.log(JSON.stringify('ready'));
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const question = JSON.parse(line);
    const answer =
      question.what === 'open'
        ? await open(page, question.id, question.tab)
        : question.what === 'longest'
          ? await longest(page, question.ms)
          : await count(page);
    console.log(JSON.stringify(answer));
  }
  await browser.close();
}

main().catch(why => {
  console.error(why);
  process.exit(1);
});
