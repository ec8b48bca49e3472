//! A whole pack, and how it is read from its folder.

use crate::action::ActionDefinition;
use crate::builtin;
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
use crate::workflow::WorkflowDefinition;
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
    /// Workflows: of actions that name a file, then of files in `workflows/` and `actions/workflows/` that no action
    /// names; where both folders have one of the same ref, the latter's.
    pub workflows: Vec<WorkflowDefinition>,
    /// Permission sets.
    pub permission_sets: Vec<PermissionSetDefinition>,
    /// Runtimes.
    pub runtimes: Vec<RuntimeDefinition>,
    /// Triggers.
    pub triggers: Vec<TriggerDefinition>,
    /// Actions, those of workflows included.
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
    let node = read_manifest(root, problems)?;
    let report = Report { file: Path::new(MANIFEST), problems };
    let manifest = ManifestDefinition::read(&node, report);
    let named = manifest.as_ref().map(|manifest| manifest.reference.clone()).or_else(|| {
        node.get("ref").and_then(Node::as_text).and_then(|text| PackRef::parse(text).ok())
    });
    let files = Files { context: Context { pack: named.as_ref(), root }, problems };

    let permission_sets =
        files.read("permission_sets", PermissionSetDefinition::read, |set| &set.reference);
    let runtimes = files.read("runtimes", RuntimeDefinition::read, |runtime| &runtime.reference);
    let triggers = files.read("triggers", TriggerDefinition::read, |trigger| &trigger.reference);
    let mut actions = files.read("actions", ActionDefinition::read, |action| &action.reference);
    let workflows = files.workflows(&mut actions);
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

/// The manifest, as it is written.
pub(crate) fn read_manifest(root: &Path, problems: &RefCell<Vec<Problem>>) -> Option<Node> {
    let file = Path::new(MANIFEST);
    let report = Report { file, problems };
    match read_file(&root.join(file)) {
        Ok(text) => parse(&text, report),
        Err(error) => {
            let message = match error.kind() {
                io::ErrorKind::NotFound => "missing: every pack needs this file".to_owned(),
                _ => error.to_string(),
            };
            report.error(Position::default(), "", message);
            None
        }
    }
}

fn by_ref(raw: &RawDefinition) -> &ComponentRef {
    &raw.reference
}

/// Reads the files of one pack, folder by folder.
pub(crate) struct Files<'a> {
    pub(crate) context: Context<'a>,
    pub(crate) problems: &'a RefCell<Vec<Problem>>,
}

impl Files<'_> {
    pub(crate) fn read<T>(
        &self,
        folder: &str,
        read: fn(&Node, Context<'_>, Report<'_>) -> Option<T>,
        reference: fn(&T) -> &ComponentRef,
    ) -> Vec<T> {
        self.read_files(self.list(folder), read, reference)
    }

    fn read_files<T>(
        &self,
        files: Vec<PathBuf>,
        read: impl Fn(&Node, Context<'_>, Report<'_>) -> Option<T>,
        reference: fn(&T) -> &ComponentRef,
    ) -> Vec<T> {
        let mut first_files = HashMap::new();
        let mut definitions = Vec::new();
        for file in files {
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

    /// The workflows of all files, and for each that no action names an action more.
    pub(crate) fn workflows(&self, actions: &mut Vec<ActionDefinition>) -> Vec<WorkflowDefinition> {
        let mut workflows: Vec<WorkflowDefinition> =
            actions.iter().filter_map(|action| self.workflow_of(action)).collect();
        let in_folder = |folder: &str| {
            let mut files = self.list(folder);
            files.retain(|file| actions.iter().all(|it| it.workflow_file.as_ref() != Some(file)));
            let read = |node: &Node, context: Context<'_>, report: Report<'_>| {
                WorkflowDefinition::read(node, context, report, None)
            };
            self.read_files(files, read, |workflow| &workflow.reference)
        };
        let mut alone = in_folder("workflows");
        let beside_actions = in_folder("actions/workflows");
        alone.retain(|old| beside_actions.iter().all(|new| new.reference != old.reference));
        alone.extend(beside_actions);
        for workflow in alone {
            let taken = actions.iter().find(|action| action.reference == workflow.reference);
            if let Some(action) = taken {
                let report = Report { file: &workflow.file, problems: self.problems };
                let message = format!(
                    "'{}' is already in {}: name this file there as workflow_file",
                    workflow.reference,
                    action.file.display()
                );
                report.error(Position::default(), "ref", message);
                continue;
            }
            actions.push(workflow.companion());
            workflows.push(workflow);
        }
        workflows
    }

    /// The workflow of the file that an action names.
    fn workflow_of(&self, action: &ActionDefinition) -> Option<WorkflowDefinition> {
        let file = action.workflow_file.as_deref()?;
        let report = Report { file, problems: self.problems };
        let node = match read_file(&self.context.root.join(file)) {
            Ok(text) => parse(&text, report)?,
            Err(error) => {
                report.error(Position::default(), "", error.to_string());
                return None;
            }
        };
        WorkflowDefinition::read(&node, self.context, report, Some(action))
    }

    /// The YAML files of `folder`, sorted by name; none where there is no such folder.
    pub(crate) fn list(&self, folder: &str) -> Vec<PathBuf> {
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

pub(crate) fn read_file(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(io::Error::other(format!("larger than {MAX_FILE} bytes")));
    }
    String::from_utf8(bytes).map_err(|_| io::Error::other("not UTF-8 text"))
}

pub(crate) fn parse(text: &str, report: Report<'_>) -> Option<Node> {
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
            if own(action) && !self.defines(action) {
                let message = format!("no file of this pack defines action '{action}'");
                report.warning(rule.action_at, "action_ref", message);
            }
        }
        for workflow in &self.workflows {
            let report = Report { file: &workflow.file, problems };
            for call in &workflow.calls {
                let action = &call.action;
                if own(action) && !self.defines(action) {
                    let message = format!("no file of this pack defines action '{action}'");
                    report.warning(call.at, &call.field, message);
                } else if !own(action) && action.pack() == "core" && !builtin::has_action(action) {
                    let message = format!("the core pack has no action '{action}'");
                    report.warning(call.at, &call.field, message);
                }
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

    /// Whether one of its files defines this action.
    fn defines(&self, action: &ComponentRef) -> bool {
        self.actions.iter().any(|known| known.reference == *action)
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
