//! `sensors/*.yaml`: what watches the world and emits events.

use crate::action::check_entry_point;
use crate::fields::{Context, Fields};
use crate::node::Node;
use crate::placement;
use crate::problem::{Position, Report};
use crate::runner::Runner;
use crate::timer;
use attune_domain::catalogue::Placement;
use attune_domain::reference::ComponentRef;
use attune_domain::runtime::Runtime;
use serde::Serialize;
use serde_json::Value;
use std::path::PathBuf;

/// Seconds between two starts of a polled sensor, where its file does not say.
pub const DEFAULT_POLL_INTERVAL: u32 = 30;

/// How a sensor runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Started every so often; prints what it found, and exits.
    #[default]
    Polled,
    /// Runs for as long as a rule uses its triggers.
    Process,
}

const MODES: [(&str, Mode); 2] = [("polled", Mode::Polled), ("process", Mode::Process)];

/// What a sensor's file says.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SensorDefinition {
    /// The file, relative to the pack's root.
    pub file: PathBuf,
    /// Its name.
    #[serde(rename = "ref")]
    pub reference: ComponentRef,
    /// For people.
    pub label: String,
    /// For people.
    pub description: Option<String>,
    /// Whether it runs; true if the file does not say.
    pub enabled: bool,
    /// What runs it; native if the file does not say.
    pub runner: Runner,
    /// File under `sensors/`; may be empty for a sensor that is only a timer.
    pub entry_point: String,
    /// Triggers it may emit for: `trigger_types`, else `trigger_type`.
    pub trigger_refs: Vec<ComponentRef>,
    /// How it runs.
    pub mode: Mode,
    /// Seconds between two starts of a polled sensor.
    pub poll_interval: u32,
    /// Schema of `config`.
    pub parameters: Option<Value>,
    /// Its configuration: a timer's, if its `type` is one or the sensor emits for a timer trigger.
    pub config: Option<Value>,
    /// Constraint on the interpreter's version.
    pub runtime_version: Option<String>,
    /// Retention and placement.
    pub placement: Placement,
    /// Where each of `trigger_refs` stands, for what can be said once all files are read.
    #[serde(skip)]
    pub(crate) triggers_at: Vec<Position>,
    /// Where `runner_type` stands.
    #[serde(skip)]
    pub(crate) runner_at: Position,
}

impl SensorDefinition {
    pub(crate) fn read(node: &Node, context: Context<'_>, report: Report<'_>) -> Option<Self> {
        let fields = Fields::of(node, "", report)?;
        if fields.nameless() {
            return None;
        }
        let reference = fields.own_ref(context, false);
        let (triggers_at, trigger_refs) = read_triggers(&fields, context);
        let runner = fields
            .text(&["runner_type"])
            .map_or(Runner::Known(Runtime::Native), |name| Runner::from_name(&name));
        let entry_point = fields.text(&["entry_point"]).unwrap_or_default();
        let config = fields.mapping("config");
        let timer_trigger = trigger_refs.iter().find_map(timer::trigger);
        if config.as_ref().is_some_and(timer::says_so) {
            timer::check(&fields, "config", None);
        } else if timer_trigger.is_some() {
            timer::check(&fields, "config", timer_trigger);
        } else {
            check_entry_point(&fields, context, "sensors", &runner, &entry_point);
        }
        // What is required comes last, so that the other fields have been looked at before.
        Some(Self {
            file: report.file.to_owned(),
            label: fields.label(reference.as_ref()),
            description: fields.text(&["description"]),
            enabled: fields.flag(&["enabled"], true),
            runner,
            entry_point,
            trigger_refs,
            mode: fields.word("mode", &MODES).unwrap_or_default(),
            poll_interval: fields
                .integer("poll_interval", 1)
                .map_or(DEFAULT_POLL_INTERVAL, i32::unsigned_abs),
            parameters: fields.schema(&["parameters"]),
            config,
            runtime_version: fields.text(&["runtime_version"]),
            placement: placement::read(&fields),
            triggers_at,
            runner_at: fields.place("runner_type"),
            reference: reference?,
        })
    }
}

fn read_triggers(fields: &Fields<'_>, context: Context<'_>) -> (Vec<Position>, Vec<ComponentRef>) {
    let names = ["trigger_types", "trigger_type"];
    let name = fields.find(&names).map_or("trigger_types", |(name, _)| name);
    let texts = fields.text_or_texts(&names).unwrap_or_default();
    if texts.is_empty() {
        fields.warning(fields.at, name, "names no trigger, so the sensor can emit nothing");
    }
    texts
        .into_iter()
        .filter_map(|(at, text)| Some((at, fields.to_ref(context, name, at, &text, true)?)))
        .unzip()
}
