"""The magics: submit, look at, stop, follow, register, deploy and score, from a notebook's cells."""

from __future__ import annotations

import json
from argparse import Namespace
from pathlib import Path
from typing import Any

from IPython.core.magic import Magics, line_cell_magic, line_magic, magics_class, no_var_expand

from jupyter_mlstudio.client import session
from jupyter_mlstudio.client.connection import connect, warm_up
from jupyter_mlstudio.client.experiments import Experiment
from jupyter_mlstudio.client.runs import Run, get_run, search
from jupyter_mlstudio.client.submission import submit
from jupyter_mlstudio.client.wire import segment
from jupyter_mlstudio.client.workspace import locate
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.kernel import automl_magics, sweep_magics
from jupyter_mlstudio.kernel.arguments import MagicParser, pairs, submit_parser, typed
from jupyter_mlstudio.kernel.complaints import MLStudioError as MLStudioError
from jupyter_mlstudio.kernel.complaints import short_errors
from jupyter_mlstudio.kernel.completion import Names, completer
from jupyter_mlstudio.kernel.display import RunTable


def parsers() -> dict[str, MagicParser]:
    """Makes the parser of each magic."""
    runs = MagicParser("%ml_runs", "Lists runs, live ones first and then the newest.", completes="")
    runs.add_argument("filter", nargs="*", help="e.g. metrics.auc > 0.9, or words of a name")
    runs.add_argument("-e", "--experiment", help="of this experiment only")
    runs.add_argument("--order-by", default="", help="e.g. 'metrics.auc DESC'")
    runs.add_argument("--max", type=int, default=20, help="how many at most")
    runs.add_argument("--all", action="store_true", help="those too that another run started, e.g. a sweep's trials")
    logs = _of_run("%ml_logs", "Prints a run's output.")
    logs.add_argument("-f", "--follow", action="store_true", help="go on until the run is over")
    experiment = MagicParser("%ml_experiment", "Chooses the experiment of the next runs.", completes="experiments")
    experiment.add_argument("name", nargs="?", help="the experiment; without it the present one is said")
    experiment.add_argument("--metric", help="its primary metric")
    experiment.add_argument("--goal", choices=["maximize", "minimize"], default="maximize", help="which way is better")
    register = _of_run("%ml_register", "Registers the model of a run or of a file: converted to ONNX and compared.")
    register.add_argument("-n", "--name", required=True, help="the model's name")
    register.add_argument("-a", "--alias", help="a name for this version, e.g. champion")
    register.add_argument("--path", help="the model's folder among the run's artifacts, by default model")
    register.add_argument("--allow-code", action="store_true", help="convert a file that executes code when loaded")
    register.add_argument("--threshold", type=float, help="probability from which a binary classifier says yes")
    register.add_argument("--positive-label", help="the class that the threshold is about, by default the run's")
    register.add_argument("--description", default="", help="what it is")
    register.add_argument("--tolerance", type=float, help="largest difference between ONNX and the original")
    deploy = MagicParser("%ml_deploy", "Serves a model version behind an endpoint.", completes="models")
    deploy.add_argument("model", help="name, name:version or name@alias")
    deploy.add_argument("-n", "--name", help="the endpoint's name")
    deploy.add_argument("-d", "--deployment", help="its name; of an endpoint that is there, the one to add or to swap")
    deploy.add_argument("--traffic", type=int, help="percent of the traffic that it gets, the others share the rest")
    deploy.add_argument("--script", help="a scoring script with init() and run(raw_data)")
    deploy.add_argument("--allow-code", action="store_true", help="let the script be executed")
    deploy.add_argument("-s", "--setting", action="append", default=[], help="e.g. max_instances=2")
    score = MagicParser("%ml_score", "Scores rows at an endpoint.", completes="endpoints")
    score.add_argument("endpoint", help="the endpoint's name")
    score.add_argument("rows", nargs="+", help="JSON, or an expression such as X_test[:3]")
    return {
        "%%ml_submit": submit_parser("%%ml_submit"),
        "%ml_submit": submit_parser("%ml_submit"),
        "%ml_runs": runs,
        "%ml_run": _of_run("%ml_run", "Shows a run."),
        "%ml_stop": _of_run("%ml_stop", "Stops a run and its whole process tree."),
        "%ml_logs": logs,
        "%ml_experiment": experiment,
        "%ml_register": register,
        "%ml_deploy": deploy,
        "%ml_score": score,
        **sweep_magics.parsers(),
        **automl_magics.parsers(),
    }


def _of_run(name: str, description: str) -> MagicParser:
    parser = MagicParser(name, description, completes="runs")
    parser.add_argument("run", help="the run's id, a beginning of it, or its name")
    return parser


@magics_class
class StudioMagics(Magics):
    """The magics of one kernel."""

    shell: Any

    def __init__(self, shell: Any) -> None:
        super().__init__(shell)
        self.parsers = parsers()
        names = Names()
        for name, parser in self.parsers.items():
            shell.set_hook("complete_command", completer(parser, names), str_key=name)

    @no_var_expand
    @line_cell_magic
    @short_errors
    def ml_submit(self, line: str, cell: str | None = None) -> Run:
        """Submits the cell, a script, a notebook or a command as a run; see ``%ml_submit --help``."""
        given = self.parsers["%ml_submit" if cell is None else "%%ml_submit"].read(line)
        what, args = self._work(given, cell)
        variables = self.shell.user_ns
        return submit(
            what,
            args=args,
            name=given.name,
            experiment=given.experiment,
            params={name: typed(text, variables) for name, text in pairs(given.param, "-p").items()},
            tags=pairs(given.tag, "--tag"),
            env=pairs(given.env, "--env"),
            folder=given.folder,
            python=given.python,
            kernel=given.kernel,
            target=given.target,
            priority=given.priority,
            cpus=given.cpus,
            memory=given.memory,
            gpus=given.gpus,
            timeout=given.timeout,
            memory_limit=given.memory_limit,
            wait=given.wait,
        )

    @staticmethod
    def _work(given: Namespace, cell: str | None) -> tuple[Any, list[str]]:
        """Tells the cell, a file with its arguments, and a command apart."""
        if cell is not None:
            if given.rest:
                raise Invalid("a cell takes no arguments after --; give parameters with -p name=value")
            if not cell.strip():
                raise Invalid("the cell is empty; write what to run below the first line")
            return cell, []
        if given.file is not None:
            if not given.file.endswith((".py", ".ipynb")):
                raise Invalid(
                    f"{given.file!r} is no .py or .ipynb file; write a command after --: %ml_submit -- {given.file}"
                )
            return given.file, given.rest or []
        if not given.rest:
            raise Invalid("nothing to submit: name a file, or write a command after -- (%ml_submit --help says more)")
        return given.rest, []

    @line_magic
    @short_errors
    def ml_runs(self, line: str) -> RunTable:
        """Lists runs; see ``%ml_runs --help``."""
        given = self.parsers["%ml_runs"].read(line)
        text = " ".join(given.filter)
        is_filter = any(sign in text for sign in ("=", ">", "<", " IN ", "LIKE"))
        query: dict[str, object] = {
            "order_by": given.order_by, "filter" if is_filter else "q": text, "top": "" if given.all else "true",
        }  # fmt: skip
        if given.experiment:
            query["experiment_id"] = Experiment(given.experiment).id
        return RunTable(search(connect(), query, given.max))

    @line_magic
    @short_errors
    def ml_run(self, line: str) -> Run:
        """Shows a run; see ``%ml_run --help``."""
        return get_run(self.parsers["%ml_run"].read(line).run)

    @line_magic
    @short_errors
    def ml_stop(self, line: str) -> Run:
        """Stops a run; see ``%ml_stop --help``."""
        return get_run(self.parsers["%ml_stop"].read(line).run).stop()

    @line_magic
    @short_errors
    def ml_logs(self, line: str) -> None:
        """Prints a run's output; see ``%ml_logs --help``."""
        given = self.parsers["%ml_logs"].read(line)
        run = get_run(given.run)
        for text in run.log_parts(follow=given.follow):
            print(text, end="", flush=True)

    @line_magic
    @short_errors
    def ml_experiment(self, line: str) -> None:
        """Chooses the experiment of the next runs; see ``%ml_experiment --help``."""
        given = self.parsers["%ml_experiment"].read(line)
        if given.name is not None:
            session.set_experiment(given.name)
            if given.metric:
                Experiment(given.name).create(primary_metric=given.metric, goal=given.goal)
        print(f"runs go to the experiment {Experiment().name}")

    @line_magic
    @short_errors
    def ml_register(self, line: str) -> Any:
        """Registers the model of a run, or of a file or folder; see ``%ml_register --help``."""
        from jupyter_mlstudio.client.models import register_model

        given = self.parsers["%ml_register"].read(line)
        local = Path(given.run).exists() and given.path is None
        return register_model(
            None if local else get_run(given.run),
            given.name,
            alias=given.alias,
            path=given.run if local else given.path,
            allow_code=given.allow_code,
            threshold=given.threshold,
            positive_label=given.positive_label,
            description=given.description,
            tolerance=given.tolerance,
        )

    @line_magic
    @short_errors
    def ml_deploy(self, line: str) -> Any:
        """Serves a model version; see ``%ml_deploy --help``."""
        from jupyter_mlstudio.client.rollout import roll_out

        given = self.parsers["%ml_deploy"].read(line)
        options = {name: typed(text, {}) for name, text in pairs(given.setting, "-s").items()}
        return roll_out(
            given.model, given.name, given.deployment, given.traffic, script=given.script, allow_code=given.allow_code,
            **options,
        )  # fmt: skip

    @no_var_expand
    @line_magic
    @short_errors
    def ml_score(self, line: str) -> Any:
        """Scores rows; see ``%ml_score --help``."""
        from jupyter_mlstudio.client.endpoints import Endpoint

        name, _, text = line.strip().partition(" ")
        if not text or name.startswith("-"):
            self.parsers["%ml_score"].read(line)
        connection = connect()
        return Endpoint(connection.get(f"endpoints/{segment(name)}"), connection).score(self._rows(text))

    def _rows(self, text: str) -> Any:
        try:
            return json.loads(text)
        except ValueError:
            pass
        try:
            return self.shell.ev(text)
        except Exception as error:
            raise Invalid(f"{text!r} is neither JSON nor an expression: {type(error).__name__}: {error}") from None


def load(ipython: Any) -> None:
    """Adds the magics, says which workspace is worked in, and starts the way to the studio in the background."""
    location = locate()
    new = "" if location.folder.is_dir() else " (new)"
    warm_up(location.root)
    own = (StudioMagics(ipython), sweep_magics.SweepMagics(ipython), automl_magics.AutoMLMagics(ipython))
    ipython.register_magics(*own)
    print(f"ML Studio works in {location.root}{new}")


def unload(ipython: Any) -> None:
    """Takes the magics away."""
    for kind in ("line", "cell"):
        for name in [name for name in ipython.magics_manager.magics[kind] if name.startswith("ml_")]:
            del ipython.magics_manager.magics[kind][name]
