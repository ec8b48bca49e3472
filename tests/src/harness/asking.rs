//! Clients: they ask, and where the server dies before it answers, they ask again.

use super::Harness;
use crate::contract::Fixture;
use attune_domain::catalogue::{Placement, Rule};
use attune_domain::execution::{Execution, Holds};
use attune_domain::id::{EventId, ExecutionId, InquiryId};
use attune_domain::inquiry::{Inquiry, Refusal, Status};
use attune_domain::reference::ComponentRef;
use attune_journey::ingest::NewEvent;
use attune_journey::request::NewExecution;
use attune_journey::{cancel, ingest, inquiry, load, request};
use attune_ports::{Ports, Unavailable};
use serde_json::Value;

impl<F: Fixture> Harness<F> {
    /// Brings in an event, which is to lead to `executions`. `cause` names it where it is brought in again.
    pub async fn event(
        &mut self,
        trigger: &ComponentRef,
        cause: &str,
        payload: Value,
        executions: usize,
    ) -> EventId {
        self.event_for(trigger, cause, payload, None, executions).await
    }

    /// The same, meant for one rule alone.
    pub async fn event_for(
        &mut self,
        trigger: &ComponentRef,
        cause: &str,
        payload: Value,
        rule: Option<&Rule>,
        executions: usize,
    ) -> EventId {
        self.expected += executions;
        let new = NewEvent {
            trigger_ref: trigger.clone(),
            trigger: None,
            payload: Some(payload),
            config: None,
            source: None,
            source_ref: None,
            rule: rule.map(|rule| (rule.id, rule.reference.clone())),
            cause: Some(format!("test/{cause}")),
        };
        self.answered(async |ports| match ingest::event(ports, new.clone()).await {
            Ok(event) => ports.records.settle().await.map(|()| event.id),
            Err(ingest::Error::Unavailable(error)) => Err(error),
            Err(error) => panic!("{error}"),
        })
        .await
    }

    /// Asks for an execution. `cause` names the request where it is made again.
    pub async fn request(
        &mut self,
        action: &ComponentRef,
        cause: &str,
        parameters: &Value,
    ) -> ExecutionId {
        self.request_with(new_execution(action, cause, parameters)).await
    }

    /// Asks for an execution of an urgency.
    pub async fn request_with(&mut self, new: NewExecution) -> ExecutionId {
        self.expected += 1;
        self.answered(async |ports| submit(ports, new.clone()).await).await
    }

    /// A client that asks from a task of its own, while others do; for journeys without a crash. What it
    /// asks for has to be counted by [`Harness::expect`].
    #[must_use]
    pub fn client(&self) -> Client {
        Client { ports: self.hard_ports().clone() }
    }

    /// There will be so many more executions.
    pub fn expect(&mut self, executions: usize) {
        self.expected += executions;
    }

    /// Cancels an execution; one that is over stays as it is.
    pub async fn cancel(&mut self, id: ExecutionId) {
        self.answered(async |ports| match cancel::execution(ports, id).await {
            Ok(_) | Err(cancel::Error::Over(_)) => ports.records.settle().await,
            Err(cancel::Error::Unavailable(error)) => Err(error),
            Err(error) => panic!("{error}"),
        })
        .await;
    }

    /// Waits until an execution asks people, and gave its slot back.
    pub async fn asks(&mut self, id: ExecutionId) -> Inquiry {
        self.until(&format!("execution {id} asks"), async |ports| {
            let execution = load::execution(ports, id).await.expect("executions can be read")?;
            let holds = execution.place.as_ref().is_some_and(|place| place.holds != Holds::Nothing);
            let asked = execution.asked.filter(|_| !holds)?;
            // Nobody is told of an inquiry that a crash may take back.
            ports.records.settle().await.expect("it settles");
            load::inquiry(ports, asked.inquiry).await.expect("inquiries can be read")
        })
        .await
    }

    /// An inquiry as it is now.
    pub async fn inquiry(&self, id: InquiryId) -> Inquiry {
        let found = load::inquiry(self.ports(), id).await.expect("inquiries can be read");
        found.expect("there is such an inquiry")
    }

    /// Answers an inquiry; one that was answered before a crash stays as it is.
    pub async fn answer(&mut self, id: InquiryId, response: &Value) {
        self.answered(async |ports| match inquiry::respond(ports, id, response, None).await {
            Ok(_) | Err(inquiry::Error::Refused(Refusal::Over(Status::Responded))) => {
                ports.records.settle().await
            }
            Err(inquiry::Error::Unavailable(error)) => Err(error),
            Err(error) => panic!("{error}"),
        })
        .await;
    }

    /// The executions that an event led to, once every rule has been looked at and each is over.
    pub async fn executions_of(&mut self, event: EventId) -> Vec<Execution> {
        self.until(&format!("what event {event} led to is over"), async |ports| {
            outcome(ports, event).await.expect("records can be read")
        })
        .await
    }

    /// Asks until there is an answer.
    async fn answered<T>(&mut self, ask: impl AsyncFn(&Ports) -> Result<T, Unavailable>) -> T {
        loop {
            match ask(self.hard_ports()).await {
                Ok(answer) => return answer,
                Err(error) if !self.life().crash.has_happened() => panic!("{error}"),
                Err(_) => self.revive().await,
            }
        }
    }
}

/// What asks for executions besides the test.
#[derive(Clone)]
pub struct Client {
    ports: Ports,
}

impl Client {
    /// Asks for an execution.
    pub async fn request(
        &self,
        action: &ComponentRef,
        cause: &str,
        parameters: &Value,
    ) -> ExecutionId {
        let new = new_execution(action, cause, parameters);
        submit(&self.ports, new).await.expect("the server answers")
    }
}

/// A request without anything special about it.
#[must_use]
pub fn new_execution(action: &ComponentRef, cause: &str, parameters: &Value) -> NewExecution {
    NewExecution {
        action_ref: action.clone(),
        parameters: parameters.as_object().cloned(),
        env_vars: Default::default(),
        permission_set_refs: vec![],
        placement: Placement::default(),
        executor: None,
        parent: None,
        priority: None,
        idempotency: Some(format!("test/{cause}")),
    }
}

async fn submit(ports: &Ports, new: NewExecution) -> Result<ExecutionId, Unavailable> {
    match request::execution(ports, new).await {
        Ok(execution) => ports.records.settle().await.map(|()| execution.id),
        Err(request::Error::Unavailable(error)) => Err(error),
        Err(error) => panic!("{error}"),
    }
}

async fn outcome(ports: &Ports, event: EventId) -> Result<Option<Vec<Execution>>, Unavailable> {
    let event = load::event(ports, event).await?.expect("the event is kept");
    if !event.matching.done {
        return Ok(None);
    }
    let mut executions = Vec::new();
    for matched in event.matching.enforcements {
        let enforcement = load::enforcement(ports, matched.enforcement).await?;
        let Some(id) = enforcement.expect("the enforcement is kept").execution else {
            return Ok(None);
        };
        let execution = load::execution(ports, id).await?.expect("the execution is kept");
        if !execution.status.is_terminal() {
            return Ok(None);
        }
        executions.push(execution);
    }
    Ok(Some(executions))
}
