import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, WidgetTracker } from '@jupyterlab/apputils';
import type { LabIcon } from '@jupyterlab/ui-components';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import type { ComponentType } from 'react';
import type { Resource } from '../models/resource';
import type { Selection, StudioModel } from '../models/studio';
import { StudioWidget, ViewPanel, type ViewProps } from '../panels/view';
import { CommandIDs, IStudio } from '../tokens';
import { shortened, visible } from '../views/common/format';
import {
  automlIcon,
  compareIcon,
  endpointIcon,
  experimentIcon,
  modelIcon,
  runIcon
} from '../views/common/icons';
import { CATEGORY, type Arguments, add, executor } from './commands/add';
import type { Arg } from './commands/add';

/** A kind of tab: how it is opened, named, told apart and drawn. */
interface View<Args extends ReadonlyPartialJSONObject> {
  command: string;
  /** Of the tracker and of the widgets' ids. */
  namespace: string;
  label: string;
  caption: string;
  icon: LabIcon;
  args: Record<string, Arg>;
  read: (args: Arguments) => Args;
  /** What makes two tabs the same one. */
  key: (args: Args) => string;
  title: (args: Args, studio: StudioModel) => string;
  /** What tells the title, when it is not in the arguments. */
  watch?: (args: Args, studio: StudioModel) => Resource<unknown>;
  select?: (args: Args) => Selection;
  load: () => Promise<ComponentType<ViewProps & Args>>;
  inPalette?: boolean;
}

const RUN_VIEW: View<{ id: string; tab?: string }> = {
  command: CommandIDs.openRun,
  namespace: 'mlstudio-run',
  label: 'Open',
  caption: 'Open the run',
  icon: runIcon,
  args: {
    id: { type: 'string', description: 'Id of the run', required: true, from: 'run' },
    tab: { type: 'string', description: 'Part of the run to show: overview, metrics, evaluation, logs, ...' }
  },
  read: args => {
    const tab = args.text('tab');
    return { id: args.need('id'), ...(tab ? { tab } : {}) };
  },
  key: args => args.id,
  title: (args, studio) => studio.run(args.id).value?.name ?? args.id.slice(0, 8),
  watch: (args, studio) => studio.run(args.id),
  select: args => ({ kind: 'run', id: args.id }),
  load: async () => (await import('../views/run')).RunView
};

const AUTOML_FORM: View<{ data?: string }> = {
  command: CommandIDs.newAutoML,
  namespace: 'mlstudio-new-automl',
  label: 'New AutoML run',
  caption: 'Find a model for a table: choose the table, the target and how long it may take',
  icon: automlIcon,
  args: { data: { type: 'string', description: "Path of the table below the workspace's root" } },
  read: args => {
    const data = args.text('data');
    return data ? { data } : {};
  },
  key: () => 'new',
  title: () => 'New AutoML run',
  load: async () => (await import('../views/automl')).AutoMLForm,
  inPalette: true
};

const EXPERIMENT_VIEW: View<{ id: string }> = {
  command: CommandIDs.openExperiment,
  namespace: 'mlstudio-experiment',
  label: 'Open',
  caption: 'Open the table of the runs of an experiment',
  icon: experimentIcon,
  args: {
    id: { type: 'string', description: 'Id of the experiment', required: true, from: 'experiment' }
  },
  read: args => ({ id: args.need('id') }),
  key: args => args.id,
  title: (args, studio) => studio.experiment(args.id).value?.name ?? 'Experiment',
  watch: (args, studio) => studio.experiment(args.id),
  select: args => ({ kind: 'experiment', id: args.id }),
  load: async () => (await import('../views/experiments')).ExperimentView
};

const COMPARE_VIEW: View<{ runIds: string[] }> = {
  command: CommandIDs.compareRuns,
  namespace: 'mlstudio-compare',
  label: 'Compare runs',
  caption: 'Show runs side by side: parameters, metrics, curves',
  icon: compareIcon,
  args: { runIds: { type: 'array', description: 'Ids of the runs', required: true } },
  read: args => ({ runIds: args.list('runIds') }),
  key: args => [...args.runIds].sort().join('-'),
  title: args => `${args.runIds.length} runs`,
  load: async () => (await import('../views/compare')).CompareView
};

const MODELS_VIEW: View<Record<string, never>> = {
  command: CommandIDs.openModels,
  namespace: 'mlstudio-models',
  label: 'Models',
  caption: 'Open the registered models',
  icon: modelIcon,
  args: {},
  read: () => ({}),
  key: () => 'all',
  title: () => 'Models',
  load: async () => (await import('../views/models')).ModelsView,
  inPalette: true
};

const MODEL_VIEW: View<{ name: string; version?: number }> = {
  command: CommandIDs.openModel,
  namespace: 'mlstudio-model',
  label: 'Open',
  caption: 'Open a registered model',
  icon: modelIcon,
  args: {
    name: { type: 'string', description: 'Name of the model', required: true, from: 'model' },
    version: { type: 'number', description: 'Number of a version' }
  },
  read: args => {
    const version = args.number('version');
    return { name: args.need('name'), ...(version === undefined ? {} : { version }) };
  },
  key: args => args.name,
  title: args => args.name,
  select: args => ({ kind: 'model', id: args.name }),
  load: async () => (await import('../views/models')).ModelView
};

const VERSIONS_VIEW: View<{ name: string; left: number; right: number }> = {
  command: CommandIDs.compareVersions,
  namespace: 'mlstudio-versions',
  label: 'Compare versions',
  caption: 'Show how two versions of a model differ, what breaks a caller first',
  icon: compareIcon,
  args: {
    name: { type: 'string', description: 'Name of the model', required: true, from: 'model' },
    left: { type: 'number', description: 'Number of the one version', required: true },
    right: { type: 'number', description: 'Number of the other version', required: true }
  },
  read: args => ({
    name: args.need('name'),
    left: Number(args.need('left')),
    right: Number(args.need('right'))
  }),
  key: args => `${args.name} ${args.left} ${args.right}`,
  title: args => `${args.name} v${args.left}, v${args.right}`,
  select: args => ({ kind: 'model', id: args.name }),
  load: async () => (await import('../views/models')).VersionsComparison
};

const ENDPOINTS_VIEW: View<Record<string, never>> = {
  command: CommandIDs.openEndpoints,
  namespace: 'mlstudio-endpoints',
  label: 'Endpoints',
  caption: 'Open the endpoints',
  icon: endpointIcon,
  args: {},
  read: () => ({}),
  key: () => 'all',
  title: () => 'Endpoints',
  load: async () => (await import('../views/endpoints')).EndpointsView,
  inPalette: true
};

const ENDPOINT_VIEW: View<{ name: string }> = {
  command: CommandIDs.openEndpoint,
  namespace: 'mlstudio-endpoint',
  label: 'Open',
  caption: 'Open an endpoint',
  icon: endpointIcon,
  args: { name: { type: 'string', description: 'Name of the endpoint', required: true, from: 'endpoint' } },
  read: args => ({ name: args.need('name') }),
  key: args => args.name,
  title: args => args.name,
  select: args => ({ kind: 'endpoint', id: args.name }),
  load: async () => (await import('../views/endpoints')).EndpointView
};

const BATCH_VIEW: View<{ name: string }> = {
  command: CommandIDs.openBatch,
  namespace: 'mlstudio-batch',
  label: 'Open',
  caption: 'Open a batch endpoint',
  icon: endpointIcon,
  args: {
    name: { type: 'string', description: 'Name of the batch endpoint', required: true, from: 'batch' }
  },
  read: args => ({ name: args.need('name') }),
  key: args => args.name,
  title: args => args.name,
  select: args => ({ kind: 'batch', id: args.name }),
  load: async () => (await import('../views/batch')).BatchView
};

/** Adds the command that opens a kind of view, and brings open ones back when Lab is loaded again. */
function addView<Args extends ReadonlyPartialJSONObject>(
  app: JupyterFrontEnd,
  studio: IStudio,
  restorer: ILayoutRestorer | null,
  palette: ICommandPalette | null,
  view: View<Args>
): void {
  const tracker = new WidgetTracker<StudioWidget<Args>>({ namespace: view.namespace });
  const execute = executor(app);
  const make = (args: Args): StudioWidget<Args> => {
    const widget = new StudioWidget(new ViewPanel(args, { studio, execute }, view.load));
    widget.id = `${view.namespace}-${view.key(args)}`;
    widget.title.icon = view.icon;
    name(widget, view, studio);
    void tracker.add(widget);
    return widget;
  };
  add(app, {
    id: view.command,
    label: view.label,
    caption: view.caption,
    icon: view.icon,
    args: view.args,
    execute: args => {
      const wanted = view.read(args);
      let widget = tracker.find(one => view.key(one.args) === view.key(wanted));
      if (widget && JSON.stringify(widget.args) !== JSON.stringify(wanted)) {
        widget.content.display(wanted);
        void tracker.save(widget);
      }
      widget ??= make(wanted);
      if (!widget.isAttached) {
        app.shell.add(widget, 'main', { type: view.namespace });
      }
      app.shell.activateById(widget.id);
      return Promise.resolve(widget);
    }
  });
  if (view.inPalette) {
    palette?.addItem({ command: view.command, category: CATEGORY });
  }
  void restorer?.restore(tracker, {
    command: view.command,
    args: widget => widget.args,
    name: widget => view.key(widget.args)
  });
  app.shell.currentChanged?.connect(() => {
    const current = app.shell.currentWidget;
    if (current instanceof StudioWidget && tracker.has(current) && view.select) {
      studio.selection = view.select(current.args as Args);
    }
  });
}

/** Keeps the tab's name that of the thing, which may be read later or renamed. */
function name<Args extends ReadonlyPartialJSONObject>(
  widget: StudioWidget<Args>,
  view: View<Args>,
  studio: IStudio
): void {
  const update = (): void => {
    const title = visible(view.title(widget.args, studio));
    widget.title.label = shortened(title, 40);
    widget.title.caption = shortened(title, 200);
  };
  update();
  const signal = view.watch?.(widget.args, studio).stateChanged;
  signal?.connect(update);
  widget.disposed.connect(() => signal?.disconnect(update));
}

/** Opens runs, experiments, comparisons, models and endpoints in the main area, each a tab that restores itself. */
export const viewsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter_mlstudio:views',
  description: 'Adds the main-area views of the studio.',
  autoStart: true,
  requires: [IStudio],
  optional: [ILayoutRestorer, ICommandPalette],
  activate: (
    app: JupyterFrontEnd,
    studio: IStudio,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null
  ): void => {
    addView(app, studio, restorer, palette, RUN_VIEW);
    addView(app, studio, restorer, palette, AUTOML_FORM);
    addView(app, studio, restorer, palette, EXPERIMENT_VIEW);
    addView(app, studio, restorer, palette, COMPARE_VIEW);
    addView(app, studio, restorer, palette, MODELS_VIEW);
    addView(app, studio, restorer, palette, MODEL_VIEW);
    addView(app, studio, restorer, palette, VERSIONS_VIEW);
    addView(app, studio, restorer, palette, ENDPOINTS_VIEW);
    addView(app, studio, restorer, palette, ENDPOINT_VIEW);
    addView(app, studio, restorer, palette, BATCH_VIEW);
  }
};
