//! A whole pack, and how it is read from its folder.

use crate::action::ActionDefinition;
use crate::fields::Context;
use crate::manifest::ManifestDefinition;
use crate::node::Node;
use crate::permission_set::PermissionSetDefinition;
use crate::problem::{Errors, Position, Problem, Report, Severity};
use crate::raw::RawDefinition;
use crate::rule::RuleDefinition;
use crate::runner::Runner;
use crate::runtime::RuntimeDefinition;
use crate::sensor::SensorDefinition;
use crate::trigger::TriggerDefinition;
use attune_domain::reference::{ComponentRef, PackRef};
use serde::Serialize;
use std::cell::RefCell;
use std::collections::HashMap;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Bytes in one file at most.
const MAX_FILE: u64 = 1024 * 1024;

const MANIFEST: &str = "pack.yaml";

/// Everything that a pack's folder defines, each kind in the order of its file names.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Pack {
    /// The folder it was read from.
    #[serde(skip)]
    pub root: PathBuf,
    /// The manifest.
    pub manifest: ManifestDefinition,
    /// Workflow files of `workflows/` and `actions/workflows/`; where both have one of the same
    /// ref, the latter's.
    pub workflows: Vec<RawDefinition>,
    /// Permission sets.
    pub permission_sets: Vec<PermissionSetDefinition>,
    /// Runtimes.
    pub runtimes: Vec<RuntimeDefinition>,
    /// Triggers.
    pub triggers: Vec<TriggerDefinition>,
    /// Actions.
    pub actions: Vec<ActionDefinition>,
    /// Policies.
    pub policies: Vec<RawDefinition>,
    /// Work queues.
    pub queues: Vec<RawDefinition>,
    /// Rules.
    pub rules: Vec<RuleDefinition>,
    /// Sensors.
    pub sensors: Vec<SensorDefinition>,
    /// What did not keep it from loading.
    pub warnings: Vec<Problem>,
}

/// Reads the pack in folder `dir`. Folders are not descended into; only `.yaml` and `.yml` count,
/// by name. Unknown keys are passed over.
///
/// # Errors
/// Every problem found, if at least one of them is an error.
pub fn load(dir: &Path) -> Result<Pack, Errors> {
    let problems = RefCell::new(Vec::new());
    let pack = read(dir, &problems);
    let problems = problems.into_inner();
    match pack {
        Some(pack) if problems.iter().all(|problem| problem.severity == Severity::Warning) => {
            Ok(Pack { warnings: problems, ..pack })
        }
        _ => Err(Errors { root: dir.to_owned(), problems }),
    }
}

fn read(root: &Path, problems: &RefCell<Vec<Problem>>) -> Option<Pack> {
    let file = Path::new(MANIFEST);
    let report = Report { file, problems };
    let node = match read_file(&root.join(file)) {
        Ok(text) => parse(&text, report)?,
        Err(error) => {
            let message = match error.kind() {
                io::ErrorKind::NotFound => "missing: every pack needs this file".to_owned(),
                _ => error.to_string(),
            };
            report.error(Position::default(), "", message);
            return None;
        }
    };
    let manifest = ManifestDefinition::read(&node, report);
    let named = manifest.as_ref().map(|manifest| manifest.reference.clone()).or_else(|| {
        node.get("ref").and_then(Node::as_text).and_then(|text| PackRef::parse(text).ok())
    });
    let files = Files { context: Context { pack: named.as_ref(), root }, problems };

    let mut workflows = files.read("workflows", RawDefinition::read_workflow, by_ref);
    let beside_actions = files.read("actions/workflows", RawDefinition::read_workflow, by_ref);
    workflows.retain(|old| beside_actions.iter().all(|new| new.reference != old.reference));
    workflows.extend(beside_actions);
    let permission_sets =
        files.read("permission_sets", PermissionSetDefinition::read, |set| &set.reference);
    let runtimes = files.read("runtimes", RuntimeDefinition::read, |runtime| &runtime.reference);
    let triggers = files.read("triggers", TriggerDefinition::read, |trigger| &trigger.reference);
    let actions = files.read("actions", ActionDefinition::read, |action| &action.reference);
    let policies = files.read("policies", RawDefinition::read, by_ref);
    let queues = files.read("queues", RawDefinition::read, by_ref);
    let rules = files.read("rules", RuleDefinition::read, |rule| &rule.reference);
    let sensors = files.read("sensors", SensorDefinition::read, |sensor| &sensor.reference);

    let pack = Pack {
        root: root.to_owned(),
        manifest: manifest?,
        workflows,
        permission_sets,
        runtimes,
        triggers,
        actions,
        policies,
        queues,
        rules,
        sensors,
        warnings: Vec::new(),
    };
    pack.check_references(problems);
    Some(pack)
}

fn by_ref(raw: &RawDefinition) -> &ComponentRef {
    &raw.reference
}

/// Reads the files of one pack, folder by folder.
struct Files<'a> {
    context: Context<'a>,
    problems: &'a RefCell<Vec<Problem>>,
}

impl Files<'_> {
    fn read<T>(
        &self,
        folder: &str,
        read: fn(&Node, Context<'_>, Report<'_>) -> Option<T>,
        reference: fn(&T) -> &ComponentRef,
    ) -> Vec<T> {
        let mut first_files = HashMap::new();
        let mut definitions = Vec::new();
        for file in self.list(folder) {
            let report = Report { file: &file, problems: self.problems };
            let node = match read_file(&self.context.root.join(&file)) {
                Ok(text) => parse(&text, report),
                Err(error) => {
                    report.error(Position::default(), "", error.to_string());
                    None
                }
            };
            let Some(node) = node else { continue };
            let Some(definition) = read(&node, self.context, report) else { continue };
            let name = reference(&definition).clone();
            if let Some(first) = first_files.get(&name) {
                let at = node.get("ref").map_or(node.at, |node| node.at);
                let first: &PathBuf = first;
                report.error(at, "ref", format!("'{name}' is already in {}", first.display()));
                continue;
            }
            first_files.insert(name, file);
            definitions.push(definition);
        }
        definitions
    }

    /// The YAML files of `folder`, sorted by name; none where there is no such folder.
    fn list(&self, folder: &str) -> Vec<PathBuf> {
        let folder = Path::new(folder);
        let absolute = self.context.root.join(folder);
        if !absolute.is_dir() {
            return Vec::new();
        }
        let names = fs::read_dir(&absolute).and_then(|entries| {
            entries
                .map(|entry| Ok(PathBuf::from(entry?.file_name())))
                .collect::<io::Result<Vec<_>>>()
        });
        let mut names = names.unwrap_or_else(|error| {
            let report = Report { file: folder, problems: self.problems };
            report.error(Position::default(), "", error.to_string());
            Vec::new()
        });
        names.retain(|name| {
            name.extension().is_some_and(|extension| extension == "yaml" || extension == "yml")
                && absolute.join(name).is_file()
        });
        names.sort();
        names.iter().map(|name| folder.join(name)).collect()
    }
}

fn read_file(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(io::Error::other(format!("larger than {MAX_FILE} bytes")));
    }
    String::from_utf8(bytes).map_err(|_| io::Error::other("not UTF-8 text"))
}

fn parse(text: &str, report: Report<'_>) -> Option<Node> {
    Node::parse(text).map_err(|(at, message)| report.error(at, "", message)).ok()
}

impl Pack {
    /// Warns of refs into this pack that none of its files defines, and of runners that neither
    /// Attune nor the pack has. They may come over the API or with another pack.
    fn check_references(&self, problems: &RefCell<Vec<Problem>>) {
        let own = |reference: &ComponentRef| reference.pack() == self.manifest.reference.as_str();
        let no_trigger = |reference: &ComponentRef| {
            own(reference) && self.triggers.iter().all(|trigger| trigger.reference != *reference)
        };
        for rule in &self.rules {
            let report = Report { file: &rule.file, problems };
            let (trigger, action) = (&rule.trigger_ref, &rule.action_ref);
            if no_trigger(trigger) {
                let message = format!("no file of this pack defines trigger '{trigger}'");
                report.warning(rule.trigger_at, "trigger_ref", message);
            }
            if own(action)
                && self.actions.iter().all(|known| known.reference != *action)
                && self.workflows.iter().all(|known| known.reference != *action)
            {
                let message = format!("no file of this pack defines action '{action}'");
                report.warning(rule.action_at, "action_ref", message);
            }
        }
        for sensor in &self.sensors {
            let report = Report { file: &sensor.file, problems };
            for (trigger, at) in sensor.trigger_refs.iter().zip(&sensor.triggers_at) {
                if no_trigger(trigger) {
                    let message = format!("no file of this pack defines trigger '{trigger}'");
                    report.warning(*at, "trigger_types", message);
                }
            }
            self.check_runner(&sensor.runner, sensor.runner_at, report);
        }
        for action in self.actions.iter().filter(|action| action.workflow_file.is_none()) {
            let report = Report { file: &action.file, problems };
            self.check_runner(&action.runner, action.runner_at, report);
        }
    }

    fn check_runner(&self, runner: &Runner, at: Position, report: Report<'_>) {
        if let Runner::Other(name) = runner
            && self.runtimes.iter().all(|runtime| !runtime.answers_to(name))
        {
            let message =
                format!("unknown runner '{name}': Attune has native, shell, python and node");
            report.warning(at, "runner_type", message);
        }
    }
}
