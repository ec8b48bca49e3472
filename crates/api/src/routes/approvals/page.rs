//! The page itself.

use super::Notice as N;
use crate::{Context, Error};
use attune_domain::inquiry::form::{Form, Input, shown};
use attune_domain::inquiry::{Inquiry, Status};
use attune_domain::schema::Violation;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use minijinja::Environment;
use minijinja::value::Serde;
use serde_json::{Value, json};

/// Names ending so have everything escaped that is put in.
const TEMPLATE: &str = "page.html";
/// Bytes that let the page's own style in, and no other.
const NONCE_BYTES: usize = 16;

/// Something to say instead of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    /// The answer has arrived.
    Thanks,
    /// There is no such link.
    Unknown,
    /// It is too late.
    Late,
    /// The inquiry has ended.
    Over(Status),
    /// What was sent is no form.
    NoForm,
}

/// A page to be rendered.
pub(super) struct Page {
    status: StatusCode,
    content: Value,
}

impl Page {
    /// A question with its form; again with what was filled in where that was not what is asked for.
    pub(super) fn question(
        inquiry: &Inquiry,
        form: &Form,
        filled: &[(String, String)],
        violations: &[Violation],
    ) -> Self {
        let text_of = |name: &str| {
            filled.iter().find(|(given, _)| given == name).map(|(_, text)| text.clone())
        };
        let fields = form.fields.iter().map(|field| {
            let first = field.default.as_ref().filter(|_| filled.is_empty()).map(shown);
            let (kind, choices) = match &field.input {
                Input::Text => ("text", vec![]),
                Input::Number { whole: true } => ("integer", vec![]),
                Input::Number { whole: false } => ("number", vec![]),
                Input::Flag => ("flag", vec![]),
                Input::Choice(values) => ("choice", values.iter().map(shown).collect()),
                Input::Json => ("json", vec![]),
            };
            json!({
                "name": field.name, "label": field.label, "description": field.description,
                "required": field.required, "kind": kind, "choices": choices,
                "value": text_of(&field.name).or(first).unwrap_or_default(),
            })
        });
        let content = json!({
            "prompt": inquiry.prompt,
            "action": inquiry.action_ref,
            "until": inquiry.timeout_at.format("%Y-%m-%d %H:%M UTC").to_string(),
            "fields": fields.collect::<Vec<_>>(),
            "decides": form.decides,
            "problems": violations.iter().map(ToString::to_string).collect::<Vec<_>>(),
        });
        let status =
            if violations.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
        Self { status, content }
    }

    pub(super) fn notice(notice: Notice) -> Self {
        let (title, text) = match notice {
            N::Thanks => ("Thank you", "Your answer has been recorded. You can close this page."),
            N::Unknown => ("Not found", "This link is not known, or a newer one took its place."),
            N::Late => ("Too late", "The time to answer is over."),
            N::Over(Status::Cancelled) => ("Withdrawn", "No answer is wanted any more."),
            N::Over(Status::Timeout) => ("Too late", "The time to answer is over."),
            N::Over(_) => ("Answered already", "This question has been answered already."),
            N::NoForm => ("Not understood", "What was sent is not the form of this page."),
        };
        Self { status: notice.status(), content: json!({"title": title, "text": text}) }
    }

    /// The page with headers that keep it, and its address, to whoever opened it.
    pub(super) fn answer(self, context: &Context) -> Result<Response, Error> {
        let nonce = hex::encode(context.ports.ids.random(NONCE_BYTES));
        let mut content = self.content;
        content["nonce"] = json!(nonce);
        let mut templates = Environment::new();
        let html = templates
            .add_template(TEMPLATE, include_str!("page.html"))
            .and_then(|()| templates.get_template(TEMPLATE)?.render(Serde(content)))
            .map_err(|error| Error::Internal(Box::new(error)))?;
        let policy = format!(
            "default-src 'none'; style-src 'nonce-{nonce}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        );
        let policy =
            HeaderValue::try_from(policy).map_err(|error| Error::Internal(error.into()))?;
        let mut response = (self.status, Html(html)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
        for (name, value) in [
            (header::CACHE_CONTROL, "no-store"),
            (header::REFERRER_POLICY, "no-referrer"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::X_FRAME_OPTIONS, "DENY"),
            (HeaderName::from_static("x-robots-tag"), "noindex, nofollow"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        Ok(response)
    }
}
