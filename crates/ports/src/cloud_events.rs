//! Events of the cloud around a deployment.

use crate::Unavailable;
use async_trait::async_trait;
use attune_domain::reference::ComponentRef;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Which events of the cloud are a trigger's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Subscription {
    /// The trigger whose events they become.
    pub trigger_ref: ComponentRef,
    /// The event pattern, as EventBridge reads it.
    pub pattern: Map<String, Value>,
    /// The event bus; `None`, the account's default one.
    pub bus: Option<String>,
}

/// Subscribes triggers to events of the cloud. Where there is no cloud, such events come over the API and
/// subscriptions are kept without effect.
#[async_trait]
pub trait CloudEvents: Send + Sync {
    /// Makes exactly this subscription exist for its trigger, in place of an earlier one.
    ///
    /// # Errors
    /// [`Unavailable`] where it could not be made.
    async fn subscribe(&self, subscription: &Subscription) -> Result<(), Unavailable>;

    /// Makes no subscription exist for the trigger; removing nothing succeeds.
    ///
    /// # Errors
    /// [`Unavailable`] where it could not be removed.
    async fn unsubscribe(&self, trigger_ref: &ComponentRef) -> Result<(), Unavailable>;

    /// All subscriptions, for repairs.
    ///
    /// # Errors
    /// [`Unavailable`] where they could not be listed.
    async fn list(&self) -> Result<Vec<Subscription>, Unavailable>;
}
