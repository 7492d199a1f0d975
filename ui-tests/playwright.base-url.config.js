// The same browser against a server that lives below a path, as it does on JupyterHub.
process.env.MLS_BASE_URL = '/user/x/';
process.env.MLS_TEST_PORT ||= '18890';

module.exports = { ...require('./playwright.config.js'), testMatch: /base-url\.spec\.ts/ };
