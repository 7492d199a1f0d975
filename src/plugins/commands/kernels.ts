/** Asking the kernel of a notebook without leaving a trace in it. */
import type { Kernel } from '@jupyterlab/services';
import { StudioError } from '../../api/client';
import type { Evaluate } from '../../models/frames';

interface Outcome {
  status?: string;
  data?: Record<string, unknown>;
  ename?: string;
  evalue?: string;
}

const WAIT_MS = 20_000;

/** Evaluates expressions in a kernel: nothing is printed, counted or kept in its history. */
export function evaluator(kernel: Kernel.IKernelConnection): Evaluate {
  return async expression => {
    const future = kernel.requestExecute({
      code: '',
      silent: true,
      store_history: false,
      allow_stdin: false,
      user_expressions: { answer: expression }
    });
    const timer = window.setTimeout(() => future.dispose(), WAIT_MS);
    const { content } = await future.done.catch(() => {
      throw new StudioError('busy', 'The kernel is busy. Wait until its cell has ended.', 0);
    });
    window.clearTimeout(timer);
    const outcome =
      content.status === 'ok' ? ((content.user_expressions as Record<string, Outcome>)['answer'] ?? {}) : {};
    if (outcome.status !== 'ok') {
      throw new StudioError('kernel', `${outcome.ename ?? 'Error'}: ${outcome.evalue ?? content.status}`, 0);
    }
    return String(outcome.data?.['text/plain'] ?? '');
  };
}
