//! Only the workflows of a pack: for reading them again while the rest of it stays as it is.

use crate::action::ActionDefinition;
use crate::fields::Context;
use crate::node::Node;
use crate::pack::{Files, read_manifest};
use crate::problem::{Errors, Problem};
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
