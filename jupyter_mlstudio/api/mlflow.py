"""placeholder"""

from jupyter_mlstudio.api.route import Route

PREFIX = "mlstudio/mlflow"
ROUTES: list[Route] = []
