//! Workers: take messages from the queues and dispatch them, where no cloud does that for us.

use crate::dispatch::{self, Failed};
use crate::run;
use crate::workflow::{self, Limits};
use attune_domain::runtime::Runtime;
use attune_ports::orchestrator::ThreadStep;
use attune_ports::{Delivery, Ports, Queue, Unavailable};
use futures::future::join_all;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How many of what at once.
#[derive(Clone, Debug)]
pub struct Config {
    /// Processes at once, all runtimes together.
    pub processes: usize,
    /// Native built-ins at once.
    pub natives: usize,
    /// How runs behave.
    pub terms: run::Terms,
    /// Bounds of workflows.
    pub limits: Limits,
}

/// Longest wait for a message before looking whether to stop.
const PATIENCE: Duration = Duration::from_secs(20);
/// Messages taken at once.
const BATCH: usize = 10;
/// Steps of workflows taken at once.
const THREADS: usize = 4;
/// The longest pause before a step of a workflow is tried again.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// What a step that this process takes waits with: nobody else is told.
const HERE: &str = "here";

/// Works until `stop` says so, then finishes what is in hand.
///
/// A new message is not taken after the stop; runs in progress are waited for as long as the caller waits.
pub async fn run(ports: Ports, config: Config, stop: watch::Receiver<bool>) {
    let config = Arc::new(config);
    let processes = Arc::new(tokio::sync::Semaphore::new(config.processes.max(1)));
    let natives = Arc::new(tokio::sync::Semaphore::new(config.natives.max(1)));
    let mut tasks = tokio::task::JoinSet::new();
    for (queue, workers) in
        [(Queue::Match, 4), (Queue::Admit, 4), (Queue::Complete, 2), (Queue::Wake, 1)]
    {
        for _ in 0..workers {
            tasks.spawn(steps(ports.clone(), queue, Arc::clone(&config), stop.clone()));
        }
    }
    for _ in 0..THREADS {
        tasks.spawn(threads(ports.clone(), config.limits, stop.clone()));
    }
    for runtime in Runtime::ALL {
        let permits = Arc::clone(if runtime == Runtime::Native { &natives } else { &processes });
        tasks.spawn(runs(ports.clone(), runtime, permits, Arc::clone(&config), stop.clone()));
    }
    while tasks.join_next().await.is_some() {}
}

/// Takes batches of one queue, one after the other.
async fn steps(ports: Ports, queue: Queue, config: Arc<Config>, mut stop: watch::Receiver<bool>) {
    while let Some(batch) = next(&ports, queue, BATCH, &mut stop).await {
        work(&ports, queue, &config.terms, batch).await;
    }
}

/// Takes steps of workflows, one after the other, where this process is who takes them.
async fn threads(ports: Ports, limits: Limits, mut stop: watch::Receiver<bool>) {
    while let Some(step) = unless_stopped(&mut stop, ports.orchestrator.next()).await {
        let mut pause = Duration::from_millis(100);
        loop {
            match advance(&ports, limits, step).await {
                Ok(()) => break,
                Err(error) => {
                    tracing::warn!(execution = %step.run, %error, "a step of a workflow is tried again");
                    let slept = unless_stopped(&mut stop, tokio::time::sleep(pause)).await;
                    if slept.is_none() {
                        // It stands in the due index, for the next life.
                        return;
                    }
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }
}

async fn advance(ports: &Ports, limits: Limits, step: ThreadStep) -> Result<(), Unavailable> {
    match workflow::advance(ports, limits, step, HERE).await? {
        Some(then) => ports.orchestrator.tell(HERE, then).await,
        None => Ok(()),
    }
}

/// Takes as many runs as there are permits, each in a task of its own.
async fn runs(
    ports: Ports,
    runtime: Runtime,
    permits: Arc<tokio::sync::Semaphore>,
    config: Arc<Config>,
    mut stop: watch::Receiver<bool>,
) {
    let queue = Queue::Run(runtime);
    let mut running = tokio::task::JoinSet::new();
    loop {
        while running.try_join_next().is_some() {}
        // The permit first: a message in hand must not wait for one.
        let Some(Ok(permit)) =
            unless_stopped(&mut stop, Arc::clone(&permits).acquire_owned()).await
        else {
            break;
        };
        let at_once = BATCH.min(permits.available_permits() + 1);
        let Some(batch) = next(&ports, queue, at_once, &mut stop).await else { break };
        let mut permit = Some(permit);
        for delivery in batch {
            let own = match permit.take() {
                Some(permit) => Some(permit),
                None => Arc::clone(&permits).acquire_owned().await.ok(),
            };
            let (ports, config) = (ports.clone(), Arc::clone(&config));
            running.spawn(async move {
                work(&ports, queue, &config.terms, vec![delivery]).await;
                drop(own);
            });
        }
    }
    while running.join_next().await.is_some() {}
}

async fn unless_stopped<T>(
    stop: &mut watch::Receiver<bool>,
    work: impl Future<Output = T>,
) -> Option<T> {
    tokio::select! {
        biased;
        _ = stop.wait_for(|stop| *stop) => None,
        done = work => Some(done),
    }
}

/// The next batch; `None` when it is time to stop.
async fn next(
    ports: &Ports,
    queue: Queue,
    max: usize,
    stop: &mut watch::Receiver<bool>,
) -> Option<Vec<Delivery>> {
    loop {
        match unless_stopped(stop, ports.queues.receive(queue, max, PATIENCE)).await? {
            Ok(batch) if !batch.is_empty() => return Some(batch),
            Ok(_) => {}
            Err(error) => {
                tracing::error!(%queue, %error, "no messages can be received; trying again");
                unless_stopped(stop, tokio::time::sleep(Duration::from_secs(1))).await?;
            }
        }
    }
}

async fn work(ports: &Ports, queue: Queue, terms: &run::Terms, batch: Vec<Delivery>) {
    let receipts: Vec<_> = batch.iter().map(|delivery| delivery.receipt.clone()).collect();
    let failed = dispatch::batch(ports, terms, batch).await;
    let done = receipts
        .into_iter()
        .filter(|receipt| failed.iter().all(|failed| failed.receipt != *receipt))
        .collect();
    if let Err(error) = ports.queues.acknowledge(queue, done).await {
        tracing::warn!(%queue, %error, "messages could not be acknowledged; they will come again");
    }
    join_all(failed.into_iter().map(|failed| give_back(ports, queue, failed))).await;
}

async fn give_back(ports: &Ports, queue: Queue, failed: Failed) {
    tracing::warn!(%queue, reason = failed.reason, receives = failed.receives, "a message comes again");
    let pause = failed.pause();
    let given = ports.queues.give_back(queue, failed.receipt, pause, &failed.reason).await;
    if let Err(error) = given {
        tracing::warn!(%queue, %error, "a message could not be given back; it will come again");
    }
}
