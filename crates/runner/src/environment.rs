//! The environment of an action: a short allow-list of this process's own, and the protocol's
//! variables. The API token is the only secret among them.

use crate::{config::Config, encoding::plain, redaction::Redaction};
use attune_ports::runner::Invocation;
use std::{
    collections::BTreeMap,
    env,
    ffi::OsString,
    path::{Path, PathBuf},
};

/// Where programs are looked up when this process has no `PATH` itself.
const DEFAULT_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// The variables that actions take over from this process.
pub(crate) fn inherited(names: &[String]) -> BTreeMap<String, OsString> {
    let mut variables: BTreeMap<_, _> =
        names.iter().filter_map(|name| Some((name.clone(), env::var_os(name)?))).collect();
    variables.entry("PATH".into()).or_insert_with(|| DEFAULT_PATH.into());
    variables
}

/// The protocol's variables for one run. `parameter_file` is where the parameters are, if they
/// are delivered by file.
pub(crate) fn protocol(
    config: &Config,
    invocation: &Invocation,
    parameter_file: Option<&Path>,
    redaction: &Redaction,
) -> Vec<(String, OsString)> {
    let mut variables: Vec<(String, OsString)> = Vec::with_capacity(16);
    let mut set = |name: &str, value: OsString| variables.push((format!("ATTUNE_{name}"), value));
    set("EXEC_ID", invocation.execution.to_string().into());
    set("INSTANCE", config.instance.clone().into());
    set("ACTION", invocation.action_ref.as_str().into());
    set("PACK_REF", invocation.action_ref.pack().into());
    set("API_URL", reachable(&config.api_url).into());
    set("ARTIFACTS_DIR", absolute(&config.artifacts_dir).into());
    set("RUNTIME_ENVS_DIR", absolute(&config.runtime_envs_dir).into());
    set("PARAMETER_DELIVERY", invocation.parameter_delivery.as_str().into());
    set("PARAMETER_FORMAT", invocation.parameter_format.as_str().into());
    if let Some(token) = &invocation.api_token {
        set("API_TOKEN", token.into());
    }
    if let Some(rule) = &invocation.rule_ref {
        set("RULE", rule.into());
    }
    if let Some(trigger) = &invocation.trigger_ref {
        set("TRIGGER", trigger.into());
    }
    if let Some(file) = parameter_file {
        set("PARAMETER_FILE", file.into());
    }
    for (key, value) in
        invocation.parameters.get("context").and_then(|c| c.as_object()).into_iter().flatten()
    {
        let text = plain(value);
        let mut clean = value.clone();
        redaction.value(&mut clean);
        // A secret stays out of the environment, where the whole machine's tools may show it; it
        // is in the parameters anyway. NUL cannot stand in a variable.
        if clean == *value && !text.contains('\0') {
            set(&format!("CONTEXT_{}", identifier(key).to_ascii_uppercase()), text.into());
        }
    }
    variables
}

/// A name made fit for a variable: invalid characters become `_`.
pub(crate) fn identifier(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

/// A path that means the same in whatever folder the action runs.
pub(crate) fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// Where a server that listens on any address is reached from its own machine.
fn reachable(url: &str) -> String {
    for any in ["://0.0.0.0", "://[::]"] {
        if let Some((scheme, rest)) = url.split_once(any)
            && (rest.is_empty() || rest.starts_with([':', '/']))
        {
            return format!("{scheme}://127.0.0.1{rest}");
        }
    }
    url.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_address_becomes_the_loopback_address() {
        let rows = [
            ("http://0.0.0.0:8080", "http://127.0.0.1:8080"),
            ("http://[::]:8080/base", "http://127.0.0.1:8080/base"),
            ("http://0.0.0.0", "http://127.0.0.1"),
            ("https://attune.example:443", "https://attune.example:443"),
            ("http://0.0.0.0.example", "http://0.0.0.0.example"),
        ];
        for (url, expected) in rows {
            assert_eq!(reachable(url), expected);
        }
    }
}
