//! Which execution calls, and from which others it comes.

use crate::access::{Action, Resource};
use crate::auth::Caller;
use crate::auth::token::Use;
use crate::{Context, Error};
use attune_domain::id::ExecutionId;
use attune_domain::inquiry::{Answerer, Denial, Inquiry};
use attune_journey::load;

/// Generations that are looked back; none is nested that deep.
const DEEPEST: usize = 100;

/// A caller as inquiries look at it.
pub(super) struct Lineage<'a> {
    caller: &'a Caller,
    executions: Vec<ExecutionId>,
}

impl<'a> Lineage<'a> {
    /// Finds out where a caller comes from; people come from nowhere.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where records cannot be read.
    pub(super) async fn of(context: &Context, caller: &'a Caller) -> Result<Self, Error> {
        let mut executions = Vec::new();
        let mut next = caller.execution();
        while let Some(id) = next.filter(|_| executions.len() < DEEPEST) {
            executions.push(id);
            let execution = load::execution(&context.ports, id).await?;
            next = execution.and_then(|execution| execution.parent);
        }
        Ok(Self { caller, executions })
    }

    /// Whether the caller may answer an inquiry.
    ///
    /// # Errors
    /// [`Denial`].
    pub(super) fn may_answer(&self, inquiry: &Inquiry) -> Result<(), Denial> {
        inquiry.admits(&self.answerer(inquiry))
    }

    /// Whether the caller may hand out a link that answers an inquiry: who may answer it, and, for one that is
    /// somebody else's, who may change that anyway, or an execution that may answer others and is to tell the
    /// assignee.
    ///
    /// # Errors
    /// [`Denial`].
    pub(super) fn may_hand_out(&self, inquiry: &Inquiry) -> Result<(), Denial> {
        let who = self.answerer(inquiry);
        let trusted = (self.caller.token_use() == Use::Execution && who.permitted)
            || self.caller.may(Resource::Inquiries, Action::Update, super::target(inquiry));
        match inquiry.admits(&who) {
            Err(Denial::Assigned) if trusted => Ok(()),
            other => other,
        }
    }

    /// Refuses an execution that would change what it, or one that it comes from, asks.
    ///
    /// # Errors
    /// [`Denial::Loop`].
    pub(super) fn insist_other(&self, inquiry: &Inquiry) -> Result<(), Denial> {
        if self.executions.contains(&inquiry.execution) { Err(Denial::Loop) } else { Ok(()) }
    }

    fn answerer(&self, inquiry: &Inquiry) -> Answerer<'_> {
        let target = super::target(inquiry);
        Answerer {
            identity: self.caller.identity(),
            lineage: &self.executions,
            permitted: self.caller.may(Resource::Inquiries, Action::Respond, target),
        }
    }
}
