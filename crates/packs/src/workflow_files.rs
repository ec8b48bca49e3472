//! Only the workflows of a pack, or one of them: for reading them again while the rest of it stays as it is.

use crate::action::ActionDefinition;
use crate::fields::Context;
use crate::node::Node;
use crate::pack::{Files, parse, read_file, read_manifest};
use crate::problem::{Errors, Position, Problem, Report};
use crate::workflow::{WorkflowDefinition, name_of};
use attune_domain::reference::PackRef;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The workflows in a pack's folder. A file that cannot be read keeps no other from being read.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkflowFiles {
    /// The pack's ref.
    pub pack: PackRef,
    /// The workflows that can be run, each with the action that executes it.
    pub workflows: Vec<(ActionDefinition, WorkflowDefinition)>,
    /// What is wrong or doubtful, by the name of the workflow: its ref, or what that would be. Every file has an
    /// entry.
    pub problems: BTreeMap<String, Vec<Problem>>,
}

/// Reads the workflows of the pack in folder `root`.
///
/// # Errors
/// What is wrong with the manifest, where it does not even name the pack.
pub fn read_workflows(root: &Path) -> Result<WorkflowFiles, Errors> {
    let problems = RefCell::default();
    let manifest = read_manifest(root, &problems);
    let pack =
        manifest.and_then(|node| PackRef::parse(node.get("ref").and_then(Node::as_text)?).ok());
    let Some(pack) = pack else {
        return Err(Errors { root: root.to_owned(), problems: problems.into_inner() });
    };
    let files = Files { context: Context { pack: Some(&pack), root }, problems: &problems };
    let mut actions: Vec<ActionDefinition> =
        files.read("actions", ActionDefinition::read, |action| &action.reference);
    let mut names: BTreeMap<PathBuf, String> = BTreeMap::new();
    for file in files.list("workflows").into_iter().chain(files.list("actions/workflows")) {
        let name = format!("{pack}.{}", name_of(&file));
        names.insert(file, name);
    }
    let linked = actions.iter().filter_map(|it| Some((it.workflow_file.clone()?, it)));
    names.extend(linked.map(|(file, action)| (file, action.reference.to_string())));
    let found = files.workflows(&mut actions);
    names.extend(found.iter().map(|it| (it.file.clone(), it.reference.to_string())));

    let mut told: BTreeMap<String, Vec<Problem>> =
        names.values().map(|name| (name.clone(), Vec::new())).collect();
    for problem in problems.into_inner() {
        if let Some(told) = names.get(&problem.file).and_then(|name| told.get_mut(name)) {
            told.push(problem);
        }
    }
    let workflows = found
        .into_iter()
        .filter_map(|workflow| {
            let action = actions.iter().find(|action| action.reference == workflow.reference)?;
            Some((action.clone(), workflow))
        })
        .collect();
    Ok(WorkflowFiles { pack, workflows, problems: told })
}

/// One workflow's file.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkflowFile {
    /// The folder that files in problems are relative to: the pack's root, or the file's own folder.
    pub root: PathBuf,
    /// The workflow, where it can be run.
    pub workflow: Option<WorkflowDefinition>,
    /// What is wrong or doubtful about the file.
    pub problems: Vec<Problem>,
}

/// Folders above a workflow's file in which its pack's manifest is looked for.
const NEAR: usize = 3;
/// The pack of a workflow that belongs to none.
const NO_PACK: &str = "local";

/// Reads one workflow's file, as a part of its pack where it lies in one.
#[must_use]
pub fn read_workflow(file: &Path) -> WorkflowFile {
    let absolute = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    for root in absolute.ancestors().skip(1).take(NEAR) {
        let Ok(relative) = absolute.strip_prefix(root) else { continue };
        if !root.join("pack.yaml").is_file() {
            continue;
        }
        let Ok(found) = read_workflows(root) else { break };
        let workflow = found.workflows.into_iter().map(|(_, it)| it).find(|it| it.file == relative);
        let mut problems: Vec<Problem> = found.problems.into_values().flatten().collect();
        problems.retain(|problem| problem.file == relative);
        // A file in another folder, or one that was passed over, is read by itself.
        if workflow.is_some() || !problems.is_empty() {
            return WorkflowFile { root: root.to_owned(), workflow, problems };
        }
    }
    read_alone(&absolute)
}

fn read_alone(file: &Path) -> WorkflowFile {
    let root = file.parent().unwrap_or(Path::new("")).to_owned();
    let name = PathBuf::from(file.file_name().unwrap_or_default());
    let problems = RefCell::default();
    let report = Report { file: &name, problems: &problems };
    let pack = PackRef::parse(NO_PACK).ok();
    let context = Context { pack: pack.as_ref(), root: &root };
    let workflow = match read_file(file) {
        Ok(text) => parse(&text, report)
            .and_then(|node| WorkflowDefinition::read(&node, context, report, None)),
        Err(error) => {
            report.error(Position::default(), "", error.to_string());
            None
        }
    };
    WorkflowFile { workflow, problems: problems.into_inner(), root }
}

/// The YAML files of a folder of the pack in folder `root`, by name.
pub(crate) fn yaml_files(
    root: &Path,
    folder: &str,
    problems: &RefCell<Vec<Problem>>,
) -> Vec<PathBuf> {
    Files { context: Context { pack: None, root }, problems }.list(folder)
}
