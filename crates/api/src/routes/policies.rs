//! Policies: who may run how many of what at once, and how often.

use crate::access::{Action, Resource};
use crate::auth::Caller;
use crate::envelope::{ApiResponse, PaginatedResponse, SuccessResponse};
use crate::error::ErrorResponse;
use crate::extract::{Json, Path};
use crate::paging::Paging;
use crate::routes::definitions::{changeable, component_ref, list, planned, visible};
use crate::routes::table::{Table, routes};
use crate::wire::policy::{CreatePolicyRequest, PolicyResponse, PolicySettings};
use crate::{Context, Error};
use attune_catalogue::{PolicyDocument, policies};
use attune_domain::admission::Lane;
use attune_domain::message::Step;
use attune_domain::policy::Policy;
use attune_journey::layout;
use attune_ports::records::{Index, Query};
use attune_ports::{Outgoing, Queue};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Map, Value};

/// Lanes told of a change at once.
const LANES: usize = 100;

pub(crate) fn router() -> Table {
    Table::new()
        .routes(routes!(list_policies, create_policy))
        .routes(routes!(get_policy, update_policy, delete_policy))
        .routes(routes!(enable_policy))
        .routes(routes!(disable_policy))
}

/// Policies, by ref.
#[utoipa::path(
    get, path = "/api/v1/policies", tag = "policies", security(("bearer_auth" = [])), params(Paging),
    responses((status = 200, body = PaginatedResponse<PolicyResponse>), (status = 403, body = ErrorResponse))
)]
async fn list_policies(
    State(context): State<Context>,
    caller: Caller,
    paging: Paging,
) -> Result<Response, Error> {
    list::<Policy, _>(&context, &caller, Resource::Actions, &paging, PolicyResponse::from).await
}

/// A policy.
#[utoipa::path(
    get, path = "/api/v1/policies/{ref}", tag = "policies", security(("bearer_auth" = [])),
    params(("ref" = String, Path, description = "Its ref")),
    responses((status = 200, body = ApiResponse<PolicyResponse>), (status = 404, body = ErrorResponse))
)]
async fn get_policy(
    State(context): State<Context>,
    caller: Caller,
    Path(reference): Path<String>,
) -> Result<ApiResponse<PolicyResponse>, Error> {
    let policy: Policy = visible(&context, &caller, Resource::Actions, &reference).await?;
    Ok(ApiResponse::of(policy.into()))
}

/// Make a policy.
#[utoipa::path(
    post, path = "/api/v1/policies", tag = "policies", security(("bearer_auth" = [])),
    request_body = CreatePolicyRequest,
    responses(
        (status = 201, body = ApiResponse<PolicyResponse>),
        (status = 403, body = ErrorResponse),
        (status = 404, body = ErrorResponse, description = "No such action, pack or identity"),
        (status = 409, body = ErrorResponse, description = "The ref is taken"),
        (status = 422, body = ErrorResponse)
    )
)]
async fn create_policy(
    State(context): State<Context>,
    caller: Caller,
    Json(request): Json<CreatePolicyRequest>,
) -> Result<(StatusCode, ApiResponse<PolicyResponse>), Error> {
    let reference = component_ref(&request.reference)?;
    let target = planned(&request.reference, Some(reference.pack()));
    caller.require_on(Resource::Actions, Action::Create, target)?;
    let settings = document(request.settings)?;
    let new = policies::NewPolicy {
        reference,
        scope: settings.covers()?,
        terms: settings.terms()?,
        description: settings.description,
        parameters: settings.parameters,
        priority_parameter: settings.priority_parameter,
        max_attempts: settings.max_attempts,
        enabled: settings.enabled,
    };
    let policy = policies::create(&context.ports, &new).await?;
    Ok(ApiResponse::of(policy.into()).saying("Policy created successfully").created())
}

/// Change a policy; a missing field is unchanged, `null` clears it. Waiting executions may go at once.
#[utoipa::path(
    put, path = "/api/v1/policies/{ref}", tag = "policies", security(("bearer_auth" = [])),
    params(("ref" = String, Path, description = "Its ref")),
    request_body = PolicySettings,
    responses(
        (status = 200, body = ApiResponse<PolicyResponse>),
        (status = 403, body = ErrorResponse),
        (status = 404, body = ErrorResponse),
        (status = 422, body = ErrorResponse)
    )
)]
async fn update_policy(
    State(context): State<Context>,
    caller: Caller,
    Path(reference): Path<String>,
    Json(request): Json<Map<String, Value>>,
) -> Result<ApiResponse<PolicyResponse>, Error> {
    let policy = change(&context, &caller, &reference, &request).await?;
    Ok(ApiResponse::of(policy.into()).saying("Policy updated successfully"))
}

/// Remove a policy. Executions that wait for it go.
#[utoipa::path(
    delete, path = "/api/v1/policies/{ref}", tag = "policies", security(("bearer_auth" = [])),
    params(("ref" = String, Path, description = "Its ref")),
    responses((status = 200, body = SuccessResponse), (status = 404, body = ErrorResponse))
)]
async fn delete_policy(
    State(context): State<Context>,
    caller: Caller,
    Path(reference): Path<String>,
) -> Result<SuccessResponse, Error> {
    changeable::<Policy>(&context, &caller, Resource::Actions, Action::Delete, &reference).await?;
    let policy = policies::delete(&context.ports, &reference).await?;
    wake_lanes(&context, &policy).await?;
    Ok(SuccessResponse::saying(format!("Policy '{reference}' deleted successfully")))
}

/// Put a policy in force.
#[utoipa::path(
    post, path = "/api/v1/policies/{ref}/enable", tag = "policies", security(("bearer_auth" = [])),
    params(("ref" = String, Path, description = "Its ref")),
    responses((status = 200, body = ApiResponse<PolicyResponse>), (status = 404, body = ErrorResponse))
)]
async fn enable_policy(
    State(context): State<Context>,
    caller: Caller,
    Path(reference): Path<String>,
) -> Result<ApiResponse<PolicyResponse>, Error> {
    let policy = change(&context, &caller, &reference, &enabled(true)).await?;
    Ok(ApiResponse::of(policy.into()).saying("Policy enabled successfully"))
}

/// Put a policy out of force. Executions that wait for it go.
#[utoipa::path(
    post, path = "/api/v1/policies/{ref}/disable", tag = "policies", security(("bearer_auth" = [])),
    params(("ref" = String, Path, description = "Its ref")),
    responses((status = 200, body = ApiResponse<PolicyResponse>), (status = 404, body = ErrorResponse))
)]
async fn disable_policy(
    State(context): State<Context>,
    caller: Caller,
    Path(reference): Path<String>,
) -> Result<ApiResponse<PolicyResponse>, Error> {
    let policy = change(&context, &caller, &reference, &enabled(false)).await?;
    Ok(ApiResponse::of(policy.into()).saying("Policy disabled successfully"))
}

fn enabled(enabled: bool) -> Map<String, Value> {
    Map::from_iter([("enabled".to_owned(), Value::Bool(enabled))])
}

async fn change(
    context: &Context,
    caller: &Caller,
    reference: &str,
    fields: &Map<String, Value>,
) -> Result<Policy, Error> {
    changeable::<Policy>(context, caller, Resource::Actions, Action::Update, reference).await?;
    let policy =
        policies::update(&context.ports, reference, |policy| written_over(policy, fields)).await?;
    wake_lanes(context, &policy).await?;
    Ok(policy)
}

/// Reads what a policy says. What is wrong with it is said with the name of the field.
fn document(fields: Map<String, Value>) -> Result<PolicyDocument, attune_catalogue::Error> {
    serde_path_to_error::deserialize(Value::Object(fields))
        .map_err(|error| attune_catalogue::Error::Invalid(error.to_string()))
}

/// Makes a policy say what it said, with these fields written over it.
fn written_over(
    policy: &mut Policy,
    fields: &Map<String, Value>,
) -> Result<(), attune_catalogue::Error> {
    let said = serde_json::to_value(PolicyDocument::of(policy))
        .map_err(|error| attune_catalogue::Error::Invalid(error.to_string()))?;
    let Value::Object(mut said) = said else { return Ok(()) };
    // What names the scope is replaced as a whole: a new action does not meet an old pack.
    const SCOPE: [&str; 4] = ["scope", "action_ref", "pack_ref", "identity"];
    if SCOPE.iter().any(|field| fields.get(*field).is_some_and(|value| !value.is_null())) {
        said.retain(|field, _| !SCOPE.contains(&field.as_str()));
    }
    for (field, value) in fields {
        // A cleared field is as if it had never been given.
        if value.is_null() {
            said.remove(field);
        } else {
            said.insert(field.clone(), value.clone());
        }
    }
    document(said)?.write_to(policy)
}

/// Tells every lane of a policy to look who may go now.
async fn wake_lanes(context: &Context, policy: &Policy) -> Result<(), Error> {
    let ports = &context.ports;
    // So that the index shows lanes that were opened just now.
    ports.records.settle().await?;
    let mut query = Query::index(Index::Of, layout::lanes_of_policy(policy.id), LANES);
    loop {
        let page = ports.records.query(&query).await?;
        let mut messages = Vec::with_capacity(page.records.len());
        for record in &page.records {
            let lane: Lane = record.decode()?;
            let wake = Step::LaneWake { lane: lane.key.clone() };
            // The change's own number, so that no earlier wake-up swallows this one.
            let announcement = ports.ids.next().unsigned_abs();
            messages.push(Outgoing::new(wake.into(), lane.key.as_str(), announcement));
        }
        if !messages.is_empty() {
            ports.queues.send(Queue::Wake, messages).await?;
        }
        match page.next {
            None => return Ok(()),
            next => query.after = next,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use attune_domain::id::PolicyId;
    use attune_domain::policy::{Scope, Terms};
    use attune_domain::reference::ComponentRef;
    use serde_json::json;

    fn policy() -> Policy {
        let at = "2026-01-01T00:00:00Z".parse().unwrap();
        Policy {
            id: PolicyId::new(1),
            reference: ComponentRef::parse("core.few").unwrap(),
            description: Some("a few".into()),
            scope: Scope::Action(ComponentRef::parse("core.echo").unwrap()),
            terms: Terms { limit: Some(2), max_waiting: Some(5), ..Terms::default() },
            parameters: vec![],
            priority_parameter: None,
            max_attempts: 1,
            enabled: true,
            created: at,
            updated: at,
        }
    }

    fn after(fields: Value) -> Result<Policy, String> {
        let mut policy = policy();
        let fields = fields.as_object().unwrap();
        written_over(&mut policy, fields).map_err(|error| error.to_string()).map(|()| policy)
    }

    #[test]
    fn only_what_is_given_changes() {
        let same = policy();
        for (fields, expected) in [
            (json!({}), same.clone()),
            (json!({"enabled": false}), Policy { enabled: false, ..same.clone() }),
            (json!({"description": null}), Policy { description: None, ..same.clone() }),
            (
                json!({"threshold": null}),
                Policy { terms: Terms { limit: None, ..same.terms.clone() }, ..same.clone() },
            ),
            (json!({"scope": "global"}), Policy { scope: Scope::Global, ..same.clone() }),
            (json!({"unheard_of": 1}), same),
        ] {
            assert_eq!(after(fields.clone()).unwrap(), expected, "{fields}");
        }
    }

    #[test]
    fn what_has_the_wrong_type_is_refused_by_name() {
        for (fields, named) in [
            (json!({"threshold": "many"}), "threshold: "),
            (json!({"threshold": -1}), "threshold: "),
            (json!({"method": "wait"}), "method: "),
            (json!({"rate_limit": {"limit": 5, "per_seconds": true}}), "rate_limit.per_seconds: "),
            (json!({"windows": [{"days": ["mon"]}]}), "windows[0]: missing field `from`"),
            (json!({"scope": "pack"}), "pack_ref: "),
        ] {
            let told = after(fields.clone()).unwrap_err();
            assert!(told.starts_with(named), "{fields}: {told}");
        }
    }
}
