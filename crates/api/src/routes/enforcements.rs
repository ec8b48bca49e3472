//! Enforcements: what rules decided about events.

use crate::access::{Action, Resource, Target};
use crate::auth::Caller;
use crate::envelope::{self, ApiResponse, PaginatedResponse};
use crate::error::ErrorResponse;
use crate::extract::{Path, Query};
use crate::listing::{self, Found, Sieve};
use crate::paging::{self, Paging};
use crate::routes::fetched;
use crate::routes::reveal::{self, Reveal};
use crate::routes::table::{Table, routes};
use crate::wire::enforcement::{EnforcementResponse, EnforcementSummary};
use crate::{Context, Error};
use async_trait::async_trait;
use attune_domain::id::{EnforcementId, EventId};
use attune_domain::status::EnforcementStatus;
use attune_journey::{layout, load, secrets};
use attune_ports::records::{Index, Kind, Query as Range, Record};
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use serde_json::Value;
use utoipa::IntoParams;

pub(crate) fn router() -> Table {
    Table::new().routes(routes!(list_enforcements)).routes(routes!(get_enforcement))
}

/// Which enforcements.
#[derive(Clone, Default, PartialEq, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct EnforcementFilter {
    /// Of this rule, by id.
    rule: Option<i64>,
    /// Of this event.
    event: Option<i64>,
    /// In this status.
    #[param(value_type = Option<crate::wire::enforcement::EnforcementStatus>)]
    status: Option<EnforcementStatus>,
    /// Of events of this trigger.
    trigger_ref: Option<String>,
    /// Of this rule.
    rule_ref: Option<String>,
}

#[derive(Deserialize)]
struct Traits {
    id: i64,
    rule: Option<i64>,
    event: i64,
    status: EnforcementStatus,
    trigger_ref: String,
    rule_ref: String,
    executor: Option<i64>,
}

struct EnforcementSieve<'a> {
    filter: EnforcementFilter,
    caller: &'a Caller,
}

#[async_trait]
impl Sieve for EnforcementSieve<'_> {
    async fn keeps(&self, record: &Record) -> Result<bool, Error> {
        let found: Traits = record.decode()?;
        let filter = &self.filter;
        Ok(filter.rule.is_none_or(|id| found.rule == Some(id))
            && filter.event.is_none_or(|id| found.event == id)
            && filter.status.is_none_or(|status| found.status == status)
            && filter.trigger_ref.as_ref().is_none_or(|of| *of == found.trigger_ref)
            && filter.rule_ref.as_ref().is_none_or(|of| *of == found.rule_ref)
            && self.caller.may(
                Resource::Enforcements,
                Action::Read,
                target(found.id, &found.rule_ref, found.executor),
            ))
    }
}

fn target(id: i64, rule_ref: &str, owner: Option<i64>) -> Target<'_> {
    Target {
        id: Some(id),
        reference: Some(rule_ref),
        pack_ref: rule_ref.split('.').next(),
        owner,
        ..Target::default()
    }
}

/// List enforcements, newest first.
#[utoipa::path(
    get, path = "/api/v1/enforcements", tag = "enforcements", security(("bearer_auth" = [])),
    params(EnforcementFilter, Paging),
    responses(
        (status = 200, body = PaginatedResponse<EnforcementSummary>),
        (status = 401), (status = 403, body = ErrorResponse)
    )
)]
async fn list_enforcements(
    State(context): State<Context>,
    caller: Caller,
    Query(mut filter): Query<EnforcementFilter>,
    paging: Paging,
) -> Result<Response, Error> {
    caller.require_some(Resource::Enforcements, Action::Read)?;
    let slice = paging.within(paging::EVENTS)?;
    let records = &*context.ports.records;
    let (range, everything) = if let Some(event) = filter.event {
        // The sieve keeps those of this event: others may have been made at the same moment.
        let found = load::event(&context.ports, EventId::new(event)).await?;
        let made = found.iter().flat_map(|event| &event.matching.enforcements);
        let ids = made.map(|made| made.enforcement.get());
        (listing::around(Kind::Enforcement, ids), false)
    } else if let Some(rule) = filter.rule_ref.take() {
        (Range::index(Index::By, layout::enforcements_of_rule(rule), 0), false)
    } else {
        (Range::index(Index::List, Kind::Enforcement.as_str(), 0), true)
    };
    let range = range.descending();
    let whole = filter == EnforcementFilter::default()
        && caller.grants().allow_all(Resource::Enforcements, Action::Read);
    let found = if whole && (everything || slice.include_total != Some(true)) {
        let mut found = listing::read(records, range, &slice).await?;
        if everything && slice.include_total != Some(false) {
            found.total = Some(listing::total(records, "enforcement").await?);
        }
        found
    } else {
        let sieve = EnforcementSieve { filter, caller: &caller };
        listing::sift(records, range, &slice, &sieve).await?
    };
    let Found { records, next, total } = found;
    let rows = records.iter().map(EnforcementSummary::of).collect::<Result<Vec<_>, _>>()?;
    let meta = slice.meta(total, next.as_deref());
    Ok(envelope::list(context.config.list_envelope, rows, &meta))
}

/// Get an enforcement with its rendered parameters.
#[utoipa::path(
    get, path = "/api/v1/enforcements/{id}", tag = "enforcements", security(("bearer_auth" = [])),
    params(("id" = i64, Path), Reveal),
    responses(
        (status = 200, body = ApiResponse<EnforcementResponse>),
        (status = 401), (status = 403, body = ErrorResponse), (status = 404, body = ErrorResponse)
    )
)]
async fn get_enforcement(
    State(context): State<Context>,
    caller: Caller,
    Path(id): Path<i64>,
    Query(reveal): Query<Reveal>,
) -> Result<ApiResponse<EnforcementResponse>, Error> {
    caller.require_some(Resource::Enforcements, Action::Read)?;
    let found = load::enforcement(&context.ports, EnforcementId::new(id)).await?;
    let found = found.ok_or_else(|| Error::not_found("Enforcement", id))?;
    let owner = found.executor.map(|id| id.get());
    caller.require_on(
        Resource::Enforcements,
        Action::Read,
        target(id, found.rule_ref.as_str(), owner),
    )?;
    let ports = &context.ports;
    let mut config = fetched(ports, found.config.as_ref()).await?;
    if reveal.include_secret_values {
        caller.require_on(
            Resource::Enforcements,
            Action::Decrypt,
            target(id, found.rule_ref.as_str(), owner),
        )?;
        if let (Some(sealed), Some(config)) = (&found.secrets, &mut config) {
            let context = secrets::of_enforcement(found.id);
            reveal::reveal(&*ports.vault, &context, sealed, config).await?;
        }
    }
    let event = load::event(ports, found.event).await?;
    let payload = fetched(ports, event.as_ref().and_then(|event| event.payload.as_ref())).await?;
    let payload = payload.filter(Value::is_object);
    Ok(ApiResponse::of(EnforcementResponse::new(found, config, payload)))
}
