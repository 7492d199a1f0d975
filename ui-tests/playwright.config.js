const fs = require('fs');
const os = require('os');
const path = require('path');

const base = require('@jupyterlab/galata/lib/playwright-config');

const port = process.env.MLS_TEST_PORT || '18888';
const baseUrl = process.env.MLS_BASE_URL || '/';

// Workers read the configuration again and must find the same folders, so these go through the environment.
process.env.MLS_ROOT ||= fs.mkdtempSync(path.join(os.tmpdir(), 'mlstudio-ui-'));
process.env.MLS_PYTHON ||= ['../.venv/bin/python', '.venv/bin/python']
  .map(python => path.join(__dirname, python))
  .concat('python3')
  .find(python => python === 'python3' || fs.existsSync(python));
process.env.TARGET_URL = `http://127.0.0.1:${port}${baseUrl.replace(/\/$/, '')}`;

// A browser of the system (Debian: /usr/bin/chromium) unless Playwright's own was installed.
const browsers = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const chromium = process.env.MLS_CHROMIUM || browsers.find(browser => fs.existsSync(browser));

module.exports = {
  ...base,
  testDir: 'tests',
  testIgnore: baseUrl === '/' ? /base-url\.spec\.ts/ : undefined,
  reporter: [['list']],
  timeout: 180_000,
  expect: { timeout: 15_000 },
  workers: 1,
  retries: process.env.CI ? 1 : 0, // a second try is listed as flaky, never as passed in silence
  use: {
    ...base.use,
    baseURL: process.env.TARGET_URL,
    video: 'off', // needs Playwright's own ffmpeg
    trace: 'off',
    viewport: { width: 1440, height: 900 },
    permissions: ['clipboard-read', 'clipboard-write'],
    launchOptions: chromium
      ? { executablePath: chromium, args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'] }
      : {}
  },
  webServer: {
    command: `exec ${process.env.MLS_PYTHON} lab.py --config jupyter_server_test_config.py > ${process.env.MLS_ROOT}/.server.log 2>&1`,
    url: `${process.env.TARGET_URL}/api`,
    env: { MLS_TEST_PORT: port, MLS_BASE_URL: baseUrl, JUPYTERLAB_GALATA_ROOT_DIR: process.env.MLS_ROOT },
    timeout: 120_000,
    reuseExistingServer: !process.env.CI
  }
};
