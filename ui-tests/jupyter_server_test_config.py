"""Server for the browser tests only: no token, application exposed on `window`. Never use it in production."""

import json
import os
from pathlib import Path
from tempfile import mkdtemp

from jupyterlab.galata import configure_jupyter_server

configure_jupyter_server(c)  # noqa: F821
c.ServerApp.ip = "127.0.0.1"  # noqa: F821
c.ServerApp.allow_root = True  # noqa: F821
c.ServerApp.port = int(os.environ.get("MLS_TEST_PORT", "18888"))  # noqa: F821
c.ServerApp.base_url = os.environ.get("MLS_BASE_URL", "/")  # noqa: F821
c.LabApp.news_url = None  # noqa: F821
c.LabApp.check_for_updates_class = "jupyterlab.NeverCheckForUpdate"  # noqa: F821

# Settings of its own, so that what the tests change is not the developer's; and no question about news.
settings = Path(mkdtemp(prefix="mlstudio-ui-settings-"))
notification = settings / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
notification.parent.mkdir(parents=True)
notification.write_text(json.dumps({"fetchNews": "false", "checkForUpdates": False}))
c.LabApp.user_settings_dir = str(settings)  # noqa: F821
