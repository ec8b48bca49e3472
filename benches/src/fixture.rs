//! The definitions a scenario works with, in a pack of their own, so that removing the pack removes
//! them all from a server that is not ours.

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::http::Request;
use crate::session::Session;

/// The built-in action that does nothing, in process: what is left is the platform's own cost.
pub const NOOP: &str = "core.noop";

/// A pack for one scenario.
#[derive(Debug)]
pub struct Fixture {
    pack: String,
}

impl Fixture {
    /// Creates the pack. Its name holds the process id and the scenario, to be free on any server.
    pub async fn create(session: &mut Session, scenario: &str) -> Result<Self> {
        let pack = format!("load_{scenario}_{}", std::process::id());
        let body = json!({ "ref": pack, "label": "Load", "version": "1.0.0" });
        session.call(Request::post("/api/v1/packs", body.to_string())).await?;
        Ok(Self { pack })
    }

    /// `name` in this pack.
    pub fn component(&self, name: &str) -> String {
        format!("{}.{name}", self.pack)
    }

    /// Creates a trigger and returns its reference.
    pub async fn trigger(&self, session: &mut Session, name: &str) -> Result<String> {
        let trigger = self.component(name);
        let body = json!({ "ref": trigger, "pack_ref": self.pack, "label": name, "enabled": true });
        session.call(Request::post("/api/v1/triggers", body.to_string())).await?;
        Ok(trigger)
    }

    /// Creates a trigger with a webhook and returns the trigger's reference and the webhook's path.
    pub async fn webhook(&self, session: &mut Session, name: &str) -> Result<(String, String)> {
        let trigger = self.trigger(session, name).await?;
        let enable = Request::post(format!("/api/v1/triggers/{trigger}/webhooks/enable"), "");
        let answer = session.call(enable).await?;
        let key = answer
            .pointer("/data/webhook_key")
            .and_then(Value::as_str)
            .context("the trigger has no webhook key")?;
        Ok((trigger, format!("/api/v1/webhooks/{key}")))
    }

    /// The request that creates a rule; `conditions` in the platform's list form, null for none.
    pub fn rule(&self, name: &str, trigger: &str, action: &str, conditions: Value) -> Request {
        let mut body = json!({
            "ref": self.component(name),
            "pack_ref": self.pack,
            "label": name,
            "trigger_ref": trigger,
            "action_ref": action,
            "enabled": true,
        });
        if !conditions.is_null() {
            body["conditions"] = conditions;
        }
        Request::post("/api/v1/rules", body.to_string())
    }

    /// Creates a shell action with inline code and returns its reference.
    pub async fn shell(&self, session: &mut Session, name: &str, code: &str) -> Result<String> {
        let action = self.component(name);
        let body = json!({
            "ref": action,
            "pack_ref": self.pack,
            "label": name,
            "entrypoint": code,
            "runtime_ref": "core.shell",
        });
        session.call(Request::post("/api/v1/actions", body.to_string())).await?;
        Ok(action)
    }

    /// Creates a workflow and returns the reference of the action that executes it.
    pub async fn workflow(
        &self,
        session: &mut Session,
        name: &str,
        definition: &Value,
    ) -> Result<String> {
        let workflow = self.component(name);
        let body = json!({
            "ref": workflow,
            "pack_ref": self.pack,
            "label": name,
            "version": "1.0.0",
            "definition": definition,
        });
        session.call(Request::post("/api/v1/workflows", body.to_string())).await?;
        Ok(workflow)
    }

    /// Removes the pack and what it holds.
    pub async fn remove(self, session: &mut Session) -> Result<()> {
        session.call(Request::delete(format!("/api/v1/packs/{}", self.pack))).await?;
        Ok(())
    }
}

/// The request that executes `action`.
pub fn execute(action: &str, parameters: &Value) -> Request {
    let body = json!({ "action_ref": action, "parameters": parameters });
    Request::post("/api/v1/executions/execute", body.to_string())
}

/// The request by which an event comes in: `payload` at a webhook's path.
pub fn event(webhook: &str, payload: &Value) -> Request {
    Request::post(webhook, json!({ "payload": payload }).to_string())
}
