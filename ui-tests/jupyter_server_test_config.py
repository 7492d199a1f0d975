"""Server for the browser tests only: no token, application exposed on `window`. Never use it in production."""

import os

from jupyterlab.galata import configure_jupyter_server

configure_jupyter_server(c)  # noqa: F821
c.ServerApp.ip = "127.0.0.1"  # noqa: F821
c.ServerApp.allow_root = True  # noqa: F821
c.ServerApp.port = int(os.environ.get("MLS_TEST_PORT", "18888"))  # noqa: F821
c.ServerApp.base_url = os.environ.get("MLS_BASE_URL", "/")  # noqa: F821
c.LabApp.news_url = None  # noqa: F821
c.LabApp.check_for_updates_class = "jupyterlab.NeverCheckForUpdate"  # noqa: F821
