//! A policy as people write it, in a pack's file or over the API: flat, with plain words.

use crate::error::Error;
use attune_domain::id::IdentityId;
use attune_domain::policy::{Method, Policy, Rate, Scope, Terms, Window};
use attune_domain::reference::{ComponentRef, PackRef};
use chrono::{NaiveTime, Weekday};
use serde::{Deserialize, Serialize};

/// A policy as people write it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PolicyDocument {
    /// For people.
    pub description: Option<String>,
    /// `action`, `pack`, `identity` or `global`; if not given, what the next three fields suggest.
    pub scope: Option<String>,
    /// The pack it covers.
    pub pack_ref: Option<String>,
    /// The action it covers.
    pub action_ref: Option<String>,
    /// The identity it covers.
    pub identity: Option<i64>,
    /// What becomes of an execution that finds no slot.
    pub method: Method,
    /// Executions at once, at least 1; `None`, any number.
    pub threshold: Option<u32>,
    /// Starts over time.
    pub rate_limit: Option<RateDocument>,
    /// Dotted paths of parameters that group executions.
    pub parameters: Vec<String>,
    /// Dotted path of the parameter that gives the priority, 0 first and 9 last.
    pub priority_parameter: Option<String>,
    /// How many may wait; `None`, any number.
    pub max_waiting: Option<u32>,
    /// How long one may wait, in seconds; `None`, for ever.
    pub wait_timeout_seconds: Option<u64>,
    /// When the limits hold; empty, always.
    pub windows: Vec<WindowDocument>,
    /// How often an execution is given to a runner when runners die under it.
    pub max_attempts: u32,
    /// Whether it is in force.
    pub enabled: bool,
}

impl Default for PolicyDocument {
    fn default() -> Self {
        Self {
            description: None,
            scope: None,
            pack_ref: None,
            action_ref: None,
            identity: None,
            method: Method::default(),
            threshold: None,
            rate_limit: None,
            parameters: vec![],
            priority_parameter: None,
            max_waiting: None,
            wait_timeout_seconds: None,
            windows: vec![],
            max_attempts: 1,
            enabled: true,
        }
    }
}

/// A rate limit as people write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateDocument {
    /// Starts per period, at least 1.
    pub limit: u32,
    /// The period, in seconds, at least 1.
    pub per_seconds: u32,
    /// Starts at once after a pause; `limit` if not given.
    #[serde(default)]
    pub burst: Option<u32>,
}

/// A time of the week as people write it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowDocument {
    /// `mon` to `sun`; none named, every day.
    #[serde(default)]
    pub days: Vec<String>,
    /// `HH:MM`, local time.
    pub from: String,
    /// `HH:MM`, local time; not after `from`, on the next day.
    pub to: String,
    /// IANA time zone.
    #[serde(default = "utc")]
    pub timezone: String,
}

fn utc() -> String {
    "UTC".to_owned()
}

impl PolicyDocument {
    /// What somebody would have written to get this policy.
    #[must_use]
    pub fn of(policy: &Policy) -> Self {
        let Terms { method, limit, rate, max_waiting, wait_timeout_seconds, windows } =
            policy.terms.clone();
        let (mut pack_ref, mut action_ref, mut identity) = (None, None, None);
        let scope = match &policy.scope {
            Scope::Action(action) => {
                action_ref = Some(action.to_string());
                "action"
            }
            Scope::Pack(pack) => {
                pack_ref = Some(pack.to_string());
                "pack"
            }
            Scope::Identity(id) => {
                identity = Some(id.get());
                "identity"
            }
            Scope::Global => "global",
        };
        Self {
            description: policy.description.clone(),
            scope: Some(scope.to_owned()),
            pack_ref,
            action_ref,
            identity,
            method,
            threshold: limit,
            rate_limit: rate.map(|Rate { limit, per_seconds, burst }| RateDocument {
                limit,
                per_seconds,
                burst,
            }),
            parameters: policy.parameters.clone(),
            priority_parameter: policy.priority_parameter.clone(),
            max_waiting,
            wait_timeout_seconds,
            windows: windows.iter().map(WindowDocument::of).collect(),
            max_attempts: policy.max_attempts,
            enabled: policy.enabled,
        }
    }

    /// What it covers.
    ///
    /// # Errors
    /// [`Error::Invalid`] where `scope` and what names it do not fit, [`Error::BadRef`] for a bad ref.
    pub fn covers(&self) -> Result<Scope, Error> {
        let suggested = || match (&self.action_ref, &self.pack_ref, self.identity) {
            (Some(_), _, _) => "action",
            (None, Some(_), _) => "pack",
            (None, None, Some(_)) => "identity",
            (None, None, None) => "global",
        };
        let missing = |field: &str| Error::Invalid(format!("{field}: required for this scope"));
        Ok(match self.scope.as_deref().unwrap_or_else(suggested) {
            "action" => {
                let action = self.action_ref.as_ref().ok_or_else(|| missing("action_ref"))?;
                Scope::Action(ComponentRef::parse(action)?)
            }
            "pack" => {
                let pack = self.pack_ref.as_ref().ok_or_else(|| missing("pack_ref"))?;
                Scope::Pack(PackRef::parse(pack)?)
            }
            "identity" => {
                Scope::Identity(IdentityId::new(self.identity.ok_or_else(|| missing("identity"))?))
            }
            "global" => Scope::Global,
            other => {
                return Err(Error::Invalid(format!(
                    "scope: '{other}' is not action, pack, identity or global"
                )));
            }
        })
    }

    /// What it demands.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a window that cannot be read.
    pub fn terms(&self) -> Result<Terms, Error> {
        Ok(Terms {
            method: self.method,
            limit: self.threshold,
            rate: self.rate_limit.map(|RateDocument { limit, per_seconds, burst }| Rate {
                limit,
                per_seconds,
                burst,
            }),
            max_waiting: self.max_waiting,
            wait_timeout_seconds: self.wait_timeout_seconds,
            windows: self.windows.iter().map(WindowDocument::read).collect::<Result<_, _>>()?,
        })
    }

    /// Makes a policy say what is written here.
    ///
    /// # Errors
    /// See [`PolicyDocument::covers`] and [`PolicyDocument::terms`].
    pub fn write_to(&self, policy: &mut Policy) -> Result<(), Error> {
        policy.scope = self.covers()?;
        policy.terms = self.terms()?;
        policy.description.clone_from(&self.description);
        policy.parameters.clone_from(&self.parameters);
        policy.priority_parameter.clone_from(&self.priority_parameter);
        policy.max_attempts = self.max_attempts;
        policy.enabled = self.enabled;
        Ok(())
    }
}

impl WindowDocument {
    fn of(window: &Window) -> Self {
        let time = |time: NaiveTime| time.format("%H:%M").to_string();
        Self {
            days: window.days.iter().map(|day| day.to_string().to_lowercase()).collect(),
            from: time(window.from),
            to: time(window.to),
            timezone: window.timezone.name().to_owned(),
        }
    }

    fn read(&self) -> Result<Window, Error> {
        let wrong = |field: &str, text: &str, wanted: &str| {
            Error::Invalid(format!("windows.{field}: '{text}' is not {wanted}"))
        };
        let time = |field: &str, text: &str| {
            NaiveTime::parse_from_str(text, "%H:%M")
                .map_err(|_| wrong(field, text, "a time such as 08:30"))
        };
        let day = |text: &String| {
            text.parse::<Weekday>().map_err(|_| wrong("days", text, "a day such as mon"))
        };
        Ok(Window {
            days: self.days.iter().map(day).collect::<Result<_, _>>()?,
            from: time("from", &self.from)?,
            to: time("to", &self.to)?,
            timezone: self
                .timezone
                .parse()
                .map_err(|_| wrong("timezone", &self.timezone, "an IANA time zone"))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(document: serde_json::Value) -> Result<(Scope, Terms), String> {
        let document: PolicyDocument = serde_json::from_value(document).unwrap();
        let covers = document.covers().map_err(|error| error.to_string())?;
        let terms = document.terms().map_err(|error| error.to_string())?;
        Ok((covers, terms))
    }

    #[test]
    fn a_scope_may_be_said_or_suggested() {
        let echo = Scope::Action(ComponentRef::parse("core.echo").unwrap());
        for (document, scope) in [
            (json!({"action_ref": "core.echo"}), echo.clone()),
            (json!({"scope": "action", "action_ref": "core.echo", "pack_ref": "core"}), echo),
            (json!({"pack_ref": "core"}), Scope::Pack(PackRef::parse("core").unwrap())),
            (json!({"identity": 7}), Scope::Identity(IdentityId::new(7))),
            (json!({}), Scope::Global),
        ] {
            assert_eq!(read(document.clone()).unwrap().0, scope, "{document}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let window = |change: serde_json::Value| {
            let mut window = json!({"days": ["mon"], "from": "22:00", "to": "06:00"});
            window.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            json!({"windows": [window]})
        };
        for (document, field) in [
            (json!({"scope": "action"}), "action_ref"),
            (json!({"scope": "planet"}), "scope"),
            (json!({"action_ref": "Echo"}), "'Echo'"),
            (window(json!({"days": ["someday"]})), "windows.days"),
            (window(json!({"from": "25:00"})), "windows.from"),
            (window(json!({"to": "late"})), "windows.to"),
            (window(json!({"timezone": "Mars/Base"})), "windows.timezone"),
        ] {
            let told = read(document.clone()).unwrap_err();
            assert!(told.contains(field), "{document}: {told}");
        }
    }

    #[test]
    fn what_is_written_reads_back_the_same() {
        let document: PolicyDocument = serde_json::from_value(json!({
            "scope": "pack", "pack_ref": "core", "threshold": 2, "method": "cancel",
            "rate_limit": {"limit": 10, "per_seconds": 60, "burst": null},
            "windows": [{"days": ["fri", "sat"], "from": "22:00", "to": "06:00",
                "timezone": "Europe/Berlin"}],
        }))
        .unwrap();
        let at = "2026-01-01T00:00:00Z".parse().unwrap();
        let mut policy = Policy {
            id: attune_domain::id::PolicyId::new(1),
            reference: ComponentRef::parse("core.few").unwrap(),
            description: None,
            scope: Scope::Global,
            terms: Terms::default(),
            parameters: vec![],
            priority_parameter: None,
            max_attempts: 1,
            enabled: true,
            created: at,
            updated: at,
        };
        document.write_to(&mut policy).unwrap();
        assert_eq!(PolicyDocument::of(&policy), document);
    }
}
