import { useEffect, useRef } from 'preact/hooks';
import type { Action } from '../data.ts';

/** A question before an action that cannot be taken back. */
export interface Question {
  title: string;
  detail: string;
  /** The text of the button that confirms. */
  verb: string;
  action: Action;
}

export function ConfirmDialog(props: {
  question: Question | null;
  close: () => void;
  confirm: (action: Action) => void;
}) {
  const { question, close, confirm } = props;
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const element = dialog.current!;
    if (question && !element.open) element.showModal();
    if (!question && element.open) element.close();
  }, [question]);
  return (
    <dialog ref={dialog} onClose={close} aria-labelledby="question" aria-describedby="consequence">
      {question && (
        <form method="dialog" onSubmit={() => confirm(question.action)}>
          <h2 id="question">{question.title}</h2>
          <p id="consequence">{question.detail}</p>
          <p class="buttons">
            <button type="button" class="quiet" onClick={close}>
              Cancel
            </button>
            <button type="submit" class="danger">
              {question.verb}
            </button>
          </p>
        </form>
      )}
    </dialog>
  );
}
