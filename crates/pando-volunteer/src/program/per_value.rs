//! Commands with `{}`: the shell runs the command once per value. The value is an argument of the
//! shell, and never a part of the shell's program.
//!
//! The standard output of the command is the result. Another exit status than 0, or a signal, is
//! the failure of the value. A core runs as many commands at a time as calls are open at a time
//! (`--concurrency`). All processes that a command starts end with the command.

mod output;
mod run;

use super::{Program, ValueScript};
use crate::engine::{CoreEvent, CoreEvents, CoreId};
use bytes::Bytes;
use pando_protocol::{
    core::CoreMessage,
    volunteer::{Answer, Binary, Loan, Value, encode_results},
};
use run::ValueRun;
use std::collections::VecDeque;
use tokio::{
    sync::{mpsc, oneshot},
    task::{JoinError, JoinSet},
};

/// A core; see the module.
pub(super) struct ValueCore {
    id: CoreId,
    events: CoreEvents,
    program: Program,
    script: ValueScript,
    /// Values without a command.
    waiting: VecDeque<(Loan, Value)>,
    /// The commands. Dropping them ends all their processes.
    running: JoinSet<Answer>,
}

impl ValueCore {
    pub(super) fn new(
        id: CoreId,
        events: CoreEvents,
        program: Program,
        script: ValueScript,
    ) -> Self {
        let (waiting, running) = (VecDeque::new(), JoinSet::new());
        Self { id, events, program, script, waiting, running }
    }

    /// Computes the values in `frames` until the core is dropped.
    pub(super) async fn live(
        mut self,
        mut frames: mpsc::UnboundedReceiver<Bytes>,
        mut dropped: oneshot::Receiver<()>,
    ) {
        let most = self.program.options.concurrency.max(1) as usize;
        loop {
            while self.running.len() < most
                && let Some((loan, value)) = self.waiting.pop_front()
            {
                self.begin(loan, value).await;
            }
            tokio::select! {
                _ = &mut dropped => return,
                Some(frame) = frames.recv() => {
                    if let Ok(Binary::Values(values)) = Binary::decode(frame) {
                        self.waiting.extend(values);
                    }
                }
                Some(ended) = self.running.join_next() => self.say(ended).await,
            }
        }
    }

    async fn begin(&mut self, loan: Loan, value: Value) {
        let started = CoreEvent::Message(CoreMessage::Started { id: loan });
        let _ = self.events.send((self.id, started)).await;
        let run = ValueRun {
            id: self.id,
            events: self.events.clone(),
            program: self.program.clone(),
            script: self.script.clone(),
        };
        self.running.spawn(run.compute(loan, value));
    }

    /// Gives the host the answer of the command that has `ended`, and those of others.
    async fn say(&mut self, ended: Result<Answer, JoinError>) {
        let mut answers: Vec<Answer> = ended.into_iter().collect();
        while let Some(Ok(answer)) = self.running.try_join_next() {
            answers.push(answer);
        }
        let _ = self.events.send((self.id, CoreEvent::Results(encode_results(&answers)))).await;
    }
}
