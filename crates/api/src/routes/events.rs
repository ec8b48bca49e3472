//! Events: what happened.

use crate::access::{Action, Resource, Target};
use crate::auth::Caller;
use crate::auth::token::Use;
use crate::envelope::{self, ApiResponse, PaginatedResponse};
use crate::error::ErrorResponse;
use crate::extract::{Json, Path, Query};
use crate::idempotency::Cause;
use crate::listing::{self, Found, Sieve};
use crate::paging::{self, Paging};
use crate::routes::fetched;
use crate::routes::table::{Table, routes};
use crate::wildcard;
use crate::wire::event::{CreateEventRequest, EventResponse, EventSummary};
use crate::{Context, Error};
use async_trait::async_trait;
use attune_catalogue::layout as definitions;
use attune_domain::catalogue::{Rule, Sensor, Trigger};
use attune_domain::event::Event;
use attune_domain::id::{EventId, RuleId};
use attune_domain::reference::ComponentRef;
use attune_journey::{ingest, layout, load};
use attune_ports::Ports;
use attune_ports::records::{Index, Kind, Query as Range, Record};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use utoipa::IntoParams;

pub(crate) fn router() -> Table {
    Table::new().routes(routes!(list_events, create_event)).routes(routes!(get_event))
}

/// Which events.
#[derive(Clone, Default, PartialEq, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct EventFilter {
    /// Of this trigger, by id.
    trigger: Option<i64>,
    /// Of this trigger; `*` stands for any text.
    trigger_ref: Option<String>,
    /// Meant for this rule alone; `*` stands for any text.
    rule_ref: Option<String>,
    /// From this sensor.
    source: Option<i64>,
}

#[derive(Deserialize)]
struct Traits {
    id: i64,
    trigger: Option<i64>,
    trigger_ref: String,
    rule_ref: Option<String>,
    source: Option<i64>,
}

struct EventSieve<'a> {
    filter: EventFilter,
    caller: &'a Caller,
}

#[async_trait]
impl Sieve for EventSieve<'_> {
    async fn keeps(&self, record: &Record) -> Result<bool, Error> {
        let event: Traits = record.decode()?;
        let filter = &self.filter;
        let named = |pattern: &Option<String>, text: Option<&str>| match pattern {
            None => true,
            Some(pattern) => text.is_some_and(|text| wildcard::fits(pattern, text)),
        };
        Ok(filter.trigger.is_none_or(|id| event.trigger == Some(id))
            && filter.source.is_none_or(|id| event.source == Some(id))
            && named(&filter.trigger_ref, Some(&event.trigger_ref))
            && named(&filter.rule_ref, event.rule_ref.as_deref())
            && self.caller.may(
                Resource::Events,
                Action::Read,
                target(event.id, &event.trigger_ref),
            ))
    }
}

fn target(id: i64, trigger_ref: &str) -> Target<'_> {
    Target {
        id: Some(id),
        reference: Some(trigger_ref),
        pack_ref: trigger_ref.split('.').next(),
        ..Target::default()
    }
}

/// List events, newest first.
#[utoipa::path(
    get, path = "/api/v1/events", tag = "events", security(("bearer_auth" = [])),
    params(EventFilter, Paging),
    responses(
        (status = 200, body = PaginatedResponse<EventSummary>),
        (status = 401), (status = 403, body = ErrorResponse)
    )
)]
async fn list_events(
    State(context): State<Context>,
    caller: Caller,
    Query(mut filter): Query<EventFilter>,
    paging: Paging,
) -> Result<Response, Error> {
    caller.require_some(Resource::Events, Action::Read)?;
    let slice = paging.within(paging::EVENTS)?;
    let records = &*context.ports.records;
    let exact = filter.trigger_ref.take_if(|pattern| !pattern.contains('*'));
    let range = match &exact {
        Some(reference) => Range::index(Index::By, layout::events_of_trigger(reference), 0),
        None => Range::index(Index::List, Kind::Event.as_str(), 0),
    }
    .descending();
    let whole = filter == EventFilter::default()
        && caller.grants().allow_all(Resource::Events, Action::Read);
    let found = if whole && (exact.is_none() || slice.include_total != Some(true)) {
        let mut found = listing::read(records, range, &slice).await?;
        if exact.is_none() && slice.include_total != Some(false) {
            found.total = Some(listing::total(records, "event").await?);
        }
        found
    } else {
        let sieve = EventSieve { filter, caller: &caller };
        listing::sift(records, range, &slice, &sieve).await?
    };
    let Found { records, next, total } = found;
    let rows = records.iter().map(EventSummary::of).collect::<Result<Vec<_>, _>>()?;
    let meta = slice.meta(total, next.as_deref());
    Ok(envelope::list(context.config.list_envelope, rows, &meta))
}

async fn respond(ports: &Ports, event: Event) -> Result<ApiResponse<EventResponse>, Error> {
    let payload = fetched(ports, event.payload.as_ref()).await?;
    Ok(ApiResponse::of(EventResponse::new(event, payload)))
}

/// Get an event with its payload.
#[utoipa::path(
    get, path = "/api/v1/events/{id}", tag = "events", security(("bearer_auth" = [])),
    params(("id" = i64, Path)),
    responses(
        (status = 200, body = ApiResponse<EventResponse>),
        (status = 401), (status = 403, body = ErrorResponse), (status = 404, body = ErrorResponse)
    )
)]
async fn get_event(
    State(context): State<Context>,
    caller: Caller,
    Path(id): Path<i64>,
) -> Result<ApiResponse<EventResponse>, Error> {
    caller.require_some(Resource::Events, Action::Read)?;
    let missing = || Error::not_found("Event", id);
    let event = load::event(&context.ports, EventId::new(id)).await?.ok_or_else(missing)?;
    caller.require_on(Resource::Events, Action::Read, target(id, event.trigger_ref.as_str()))?;
    respond(&context.ports, event).await
}

/// Report that something happened. For sensors, executions, and identities with
/// `events:create` or, for this trigger, `triggers:update`.
#[utoipa::path(
    post, path = "/api/v1/events", tag = "events", security(("bearer_auth" = [])),
    request_body = CreateEventRequest,
    responses(
        (status = 201, body = ApiResponse<EventResponse>),
        (status = 401), (status = 403, body = ErrorResponse),
        (status = 404, body = ErrorResponse, description = "No such trigger"),
        (status = 422, body = ErrorResponse)
    )
)]
async fn create_event(
    State(context): State<Context>,
    caller: Caller,
    cause: Cause,
    Json(request): Json<CreateEventRequest>,
) -> Result<(StatusCode, ApiResponse<EventResponse>), Error> {
    let ports = &context.ports;
    if caller.token_use() == Use::Access {
        let target = Target { id: None, ..target(0, &request.trigger_ref) };
        // Whoever may manage a trigger's webhook can emit its events anyway.
        if !caller.may(Resource::Triggers, Action::Update, target) {
            caller.require_on(Resource::Events, Action::Create, target)?;
        }
    }
    let unknown = || Error::not_found("Trigger", &request.trigger_ref);
    let trigger_ref = ComponentRef::parse(&request.trigger_ref).map_err(|_| unknown())?;
    let trigger: Trigger =
        load::definition(ports, Kind::Trigger, trigger_ref.as_str()).await?.ok_or_else(unknown)?;
    let rule = match &request.trigger_instance_id {
        None => None,
        Some(instance) => bound_rule(ports, instance).await?,
    };
    let source: Option<Sensor> = match caller.token_use() {
        Use::Sensor => load::definition(ports, Kind::Sensor, caller.login()).await?,
        _ => None,
    };
    // Where no cloud delivers, somebody forwards its events, and may do so twice.
    let cloud = request.payload.as_ref().filter(|_| trigger.cloud_event.is_some());
    let cause =
        cause.0.or_else(|| cloud.and_then(|event| ingest::cloud_cause(&trigger_ref, event)));
    let new = ingest::NewEvent {
        trigger_ref,
        trigger: Some(trigger.id),
        payload: request.payload.filter(|payload| !payload.is_null()),
        config: request.config.filter(|config| !config.is_null()),
        source: source.map(|sensor| sensor.id),
        source_ref: Some(caller.login().to_owned()),
        rule,
        cause,
    };
    let event = ingest::event(ports, new).await?;
    Ok(respond(ports, event).await?.created())
}

/// The rule that `rule_<id>` names; `None` where there is none, which leaves the event unbound. A
/// disabled rule binds too: its event must not go to others instead.
async fn bound_rule(
    ports: &Ports,
    instance: &str,
) -> Result<Option<(RuleId, ComponentRef)>, Error> {
    let Some(id) = instance.strip_prefix("rule_").and_then(|id| id.parse::<i64>().ok()) else {
        return Ok(None);
    };
    let Some(lookup) = ports.records.get(&definitions::by_id(Kind::Rule, id)).await? else {
        return Ok(None);
    };
    let reference: ComponentRef = lookup.decode()?;
    let rule: Option<Rule> = load::definition(ports, Kind::Rule, reference.as_str()).await?;
    Ok(rule.map(|rule| (rule.id, rule.reference)))
}

impl From<ingest::Error> for Error {
    fn from(error: ingest::Error) -> Self {
        match error {
            ingest::Error::TooLarge => Self::TooLarge("The event is too large to store".into()),
            ingest::Error::Unavailable(cause) => cause.into(),
        }
    }
}
