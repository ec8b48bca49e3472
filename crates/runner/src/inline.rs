//! Inline shell code as a script, with the parameters as variables.

use crate::{
    encoding::{plain, quoted},
    environment::identifier,
};
use serde_json::{Map, Value};

/// Names that a plain variable must not take: assigning them changes how the shell works, fails
/// because they are read-only, or changes what the code's own children find in their environment.
/// Such parameters are still there as `PARAM_<NAME>`.
const RESERVED: [&str; 26] = [
    "_",
    "BASHOPTS",
    "BASH_ENV",
    "BASH_VERSINFO",
    "CDPATH",
    "ENV",
    "EUID",
    "FUNCNAME",
    "GROUPS",
    "HOME",
    "IFS",
    "LANG",
    "LC_ALL",
    "LINENO",
    "OPTARG",
    "OPTIND",
    "PATH",
    "PPID",
    "PS1",
    "PS2",
    "PS4",
    "PWD",
    "SHELLOPTS",
    "TZ",
    "UID",
    "OLDPWD",
];

/// The script of some inline code: it stops at the first failing command, and has each parameter
/// as `PARAM_<UPPER CASE>` and under its own name, neither of them exported.
pub(crate) fn script(code: &str, parameters: &Map<String, Value>) -> String {
    let mut script = String::from("set -e\n");
    for (name, value) in parameters {
        let name = identifier(name);
        // A NUL ends or breaks a script, whichever shell reads it.
        let value = quoted(&plain(value).replace('\0', ""));
        script.push_str(&format!("PARAM_{}={value}\n", name.to_ascii_uppercase()));
        if let Some(own) = own_name(&name) {
            script.push_str(&format!("{own}={value}\n"));
        }
    }
    script.push_str(code);
    script.push('\n');
    script
}

/// The variable that has a parameter's own name, if it may.
fn own_name(name: &str) -> Option<String> {
    let name = match name.strip_prefix(|c: char| c.is_ascii_digit()) {
        Some(rest) => format!("_{rest}"),
        None => name.to_owned(),
    };
    let free = !name.is_empty()
        && !RESERVED.contains(&name.as_str())
        && !["ATTUNE_", "PARAM_", "LD_"].iter().any(|prefix| name.starts_with(prefix));
    free.then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn lines(parameters: Value) -> String {
        let script = script("CODE", parameters.as_object().unwrap());
        script.strip_prefix("set -e\n").unwrap().strip_suffix("CODE\n").unwrap().to_owned()
    }

    #[test]
    fn variables() {
        let rows = [
            ("no parameters", json!({}), ""),
            ("text, under both names", json!({"a": "x"}), "PARAM_A='x'\na='x'\n"),
            ("a quote is escaped", json!({"a": "it's"}), "PARAM_A='it'\\''s'\na='it'\\''s'\n"),
            (
                "other types",
                json!({"a": [1, {"b": null}]}),
                "PARAM_A='[1,{\"b\":null}]'\na='[1,{\"b\":null}]'\n",
            ),
            ("null is empty", json!({"a": null}), "PARAM_A=''\na=''\n"),
            ("invalid characters", json!({"a-b.ç": 1}), "PARAM_A_B__='1'\na_b__='1'\n"),
            ("a leading digit", json!({"1a": 1}), "PARAM_1A='1'\n_a='1'\n"),
            ("names that the shell needs", json!({"PATH": "x"}), "PARAM_PATH='x'\n"),
            (
                "names of the protocol",
                json!({"ATTUNE_API_TOKEN": "x"}),
                "PARAM_ATTUNE_API_TOKEN='x'\n",
            ),
            ("NUL", json!({"a": "x\0y"}), "PARAM_A='xy'\na='xy'\n"),
        ];
        for (case, parameters, expected) in rows {
            assert_eq!(lines(parameters), expected, "{case}");
        }
    }
}
