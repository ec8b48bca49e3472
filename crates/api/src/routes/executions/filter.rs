//! Which executions a list is about.

use crate::Error;
use crate::access::{Action, Resource, Target};
use crate::auth::Caller;
use crate::listing::Sieve;
use crate::wildcard;
use async_trait::async_trait;
use attune_domain::payload::Payload;
use attune_domain::status::ExecutionStatus;
use attune_ports::Blobs;
use attune_ports::records::{Record, Unreadable};
use serde::Deserialize;
use std::borrow::Cow;
use utoipa::IntoParams;

/// Which executions.
#[derive(Clone, Default, PartialEq, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ExecutionFilter {
    /// In this status.
    #[param(value_type = Option<crate::wire::execution::ExecutionStatus>)]
    pub(super) status: Option<String>,
    /// Of this action; `*` stands for any text.
    pub(super) action_ref: Option<String>,
    /// Of this pack's actions.
    pub(super) pack_name: Option<String>,
    /// Asked for by this rule; `*` stands for any text.
    pub(super) rule_ref: Option<String>,
    /// Caused by events of this trigger; `*` stands for any text.
    pub(super) trigger_ref: Option<String>,
    /// In this identity's name.
    pub(super) executor: Option<i64>,
    /// With this text in the result's JSON, in any case.
    pub(super) result_contains: Option<String>,
    /// Of this enforcement.
    pub(super) enforcement: Option<i64>,
    /// Children of this execution.
    pub(super) parent: Option<i64>,
    /// Without parent.
    pub(super) top_level_only: Option<bool>,
}

#[derive(Deserialize)]
struct Traits<'a> {
    id: i64,
    status: ExecutionStatus,
    #[serde(borrow)]
    action_ref: Cow<'a, str>,
    rule_ref: Option<String>,
    trigger_ref: Option<String>,
    executor: Option<i64>,
    enforcement: Option<i64>,
    parent: Option<i64>,
}

#[derive(Deserialize)]
struct Ended {
    result: Option<Payload>,
}

pub(super) struct ExecutionSieve<'a> {
    pub(super) filter: ExecutionFilter,
    pub(super) status: Option<ExecutionStatus>,
    pub(super) caller: &'a Caller,
    pub(super) blobs: &'a dyn Blobs,
}

#[async_trait]
impl Sieve for ExecutionSieve<'_> {
    async fn keeps(&self, record: &Record) -> Result<bool, Error> {
        if !self.keeps_traits(record)? {
            return Ok(false);
        }
        match &self.filter.result_contains {
            None => Ok(true),
            Some(text) => self.result_contains(record, &text.to_lowercase()).await,
        }
    }
}

impl ExecutionSieve<'_> {
    fn keeps_traits(&self, record: &Record) -> Result<bool, Error> {
        let found: Traits<'_> = serde_json::from_slice(&record.body)
            .map_err(|source| Unreadable { key: record.key.clone(), source })?;
        let filter = &self.filter;
        let named = |pattern: &Option<String>, text: Option<&str>| match pattern {
            None => true,
            Some(pattern) => text.is_some_and(|text| wildcard::fits(pattern, text)),
        };
        let pack = found.action_ref.split('.').next();
        Ok(self.status.is_none_or(|status| found.status == status)
            && named(&filter.action_ref, Some(&found.action_ref))
            && filter.pack_name.as_deref().is_none_or(|name| pack == Some(name))
            && named(&filter.rule_ref, found.rule_ref.as_deref())
            && named(&filter.trigger_ref, found.trigger_ref.as_deref())
            && filter.executor.is_none_or(|id| found.executor == Some(id))
            && filter.enforcement.is_none_or(|id| found.enforcement == Some(id))
            && filter.parent.is_none_or(|id| found.parent == Some(id))
            && (filter.top_level_only != Some(true) || found.parent.is_none())
            && self.caller.may(
                Resource::Executions,
                Action::Read,
                Target {
                    id: Some(found.id),
                    reference: Some(&found.action_ref),
                    pack_ref: pack,
                    owner: found.executor,
                    ..Target::default()
                },
            ))
    }

    async fn result_contains(&self, record: &Record, text: &str) -> Result<bool, Error> {
        let ended: Ended = record.decode()?;
        Ok(match ended.result {
            None => false,
            Some(Payload::Inline(value)) => value.to_string().to_lowercase().contains(text),
            Some(Payload::Blob { name, .. }) => match self.blobs.get(&name).await? {
                None => false,
                Some(bytes) => String::from_utf8_lossy(&bytes).to_lowercase().contains(text),
            },
        })
    }
}
