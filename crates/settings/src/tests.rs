//! Where settings come from, who wins, what is refused; and that the sample file tells all of it.

use super::{Error, ListEnvelope, LogFormat, Secret, Settings, schema};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

const SAMPLE: &str = include_str!("../../../samplconfig.toml");

/// A settings file with this text, in a folder that goes away with the first value.
fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("settings.toml");
    fs::write(&path, text).expect("writes");
    (folder, path)
}

fn load(text: &str, env: &[(&str, &str)]) -> Result<Settings, Error> {
    let (_folder, path) = file(text);
    load_file(Some(&path), env)
}

fn load_file(file: Option<&Path>, env: &[(&str, &str)]) -> Result<Settings, Error> {
    Settings::load(file, env.iter().map(|(name, value)| (name.to_string(), value.to_string())))
}

#[test]
fn without_file_and_variables_the_defaults_hold() {
    assert_eq!(load_file(None, &[]).expect("loads"), Settings::default());
    assert_eq!(load("", &[]).expect("an empty file"), Settings::default());
}

#[test]
fn the_environment_wins_over_the_file_and_short_names_over_both() {
    let text = "[server]\nport = 1000\nhost = '::1'\n[storage]\ndata_dir = '/file'";
    let settings = load(
        text,
        &[
            ("ATTUNE_DATA_DIR", "/short"),
            ("ATTUNE__STORAGE__DATA_DIR", "/long"),
            ("ATTUNE__SERVER__PORT", "2000"),
            ("ATTUNE_ADMIN_LOGIN", "root"),
            ("ATTUNE_ADMIN_PASSWORD", "007"),
        ],
    )
    .expect("loads");
    assert_eq!(settings.server.host, "::1");
    assert_eq!(settings.server.port, 2000);
    assert_eq!(settings.storage.data_dir, Path::new("/short"));
    assert_eq!(settings.auth.admin_login, "root");
    assert_eq!(settings.auth.admin_password, Some(Secret::from("007".to_owned())));
}

#[test]
fn variables_take_every_kind_of_value() {
    let settings = load(
        "",
        &[
            ("ATTUNE__SERVER__CORS_ORIGINS", "https://a.example, https://b.example"),
            ("ATTUNE__PACKS__DIRS", ""),
            ("ATTUNE__TIMERS__CATCH_UP", "false"),
            ("ATTUNE__API__LIST_ENVELOPE", "items"),
            ("ATTUNE__LOG__FORMAT", "json"),
            ("ATTUNE__STORAGE__EVENT_RETENTION_DAYS", "7"),
            ("ATTUNE__STORAGE__GROUP_COMMIT_LINGER_US", "50"),
            ("ATTUNE__AUTH__ADMIN_PASSWORD", "0x1F"),
        ],
    )
    .expect("loads");
    assert_eq!(settings.server.cors_origins, ["https://a.example", "https://b.example"]);
    assert!(settings.packs.dirs.is_empty(), "an empty variable is an empty list");
    assert!(!settings.timers.catch_up);
    assert_eq!(settings.api.list_envelope, ListEnvelope::Items);
    assert_eq!(settings.log.format, LogFormat::Json);
    assert_eq!(settings.storage.event_retention, Duration::from_secs(7 * 86_400));
    assert_eq!(settings.storage.group_commit_linger, Duration::from_micros(50));
    assert_eq!(settings.auth.admin_password.expect("set").expose(), "0x1F");
}

#[test]
fn variables_of_others_are_passed_over() {
    let env = [
        ("ATTUNE_URL", "http://localhost"),
        ("ATTUNE_PROFILE", "test"),
        ("ATTUNE_TOKEN", "t"),
        ("ATTUNE_DATA_DIR", ""),
        ("ATTUNE_ADMIN_PASSWORD", ""),
        ("SERVER__PORT", "1"),
        ("PATH", "/bin"),
    ];
    assert_eq!(load("", &env).expect("loads"), Settings::default());
}

#[test]
fn tables_of_sam_are_passed_over() {
    let text =
        "version = 0.1\n[default.deploy.parameters]\nstack_name = 'attune'\n[log]\nlevel = 'warn'";
    assert_eq!(load(text, &[]).expect("loads").log.level, "warn");
}

#[test]
fn the_file_is_the_one_named_and_a_named_file_must_exist() {
    let (_folder, path) = file("[server]\nport = 1");
    let (_other, other) = file("[server]\nport = 2");
    let env = [("ATTUNE_CONFIG", path.to_str().expect("text"))];
    assert_eq!(load_file(None, &env).expect("loads").server.port, 1);
    assert_eq!(load_file(Some(&other), &env).expect("loads").server.port, 2);
    let gone = path.with_file_name("gone.toml");
    let error = load_file(Some(&gone), &[]).expect_err("gone");
    assert_eq!(error.to_string(), format!("cannot read settings file {}", gone.display()));
}

#[test]
fn what_is_wrong_is_named_with_its_place_and_what_is_expected() {
    const NUMBER: &str = "must be a whole number from 0 to 65535";
    type Row = (&'static str, &'static [(&'static str, &'static str)], &'static [&'static str]);
    let rows: [Row; 17] = [
        ("[server]\nprot = 1", &[], &["settings.toml", "'server.prot'", "'port'", "[server]"]),
        ("[sevrer]\nport = 1", &[], &["settings.toml", "'sevrer.port'", "sections 'server'"]),
        ("[sevrer]", &[], &["'sevrer'", "sections 'server'"]),
        ("port = 1", &[], &["'port'", "sections 'server'"]),
        ("[server.port]\nx = 1", &[], &["'server.port'", NUMBER]),
        ("[server]\nport = '80'", &[], &["settings.toml", "'server.port'", NUMBER]),
        ("[server]\nport = 80.5", &[], &["'server.port'", NUMBER]),
        ("[server]\nport = true", &[], &["'server.port'", NUMBER]),
        ("[server]\nport = 70000", &[], &["'server.port'", NUMBER]),
        ("[timers]\ncatch_up = 'yes'", &[], &["'timers.catch_up'", "true or false"]),
        ("[packs]\ndirs = 'packs'", &[], &["'packs.dirs'", "a list of texts"]),
        ("[api]\nlist_envelope = 'rows'", &[], &["'api.list_envelope'", "'data', 'items'"]),
        ("[storage]\ndata_dir = ''", &[], &["'storage.data_dir'", "not empty"]),
        (
            "",
            &[("ATTUNE__SERVER__PORT", "http")],
            &["environment variable ATTUNE__SERVER__PORT", NUMBER],
        ),
        (
            "",
            &[("ATTUNE__SERVER_PORT", "1")],
            &["environment variable ATTUNE__SERVER_PORT", "'server_port'", "sections 'server'"],
        ),
        ("", &[("ATTUNE__VERSION", "1")], &["ATTUNE__VERSION", "'version'"]),
        ("[log]\nlevel = 'a\n", &[], &["settings.toml", "line 2"]),
    ];
    for (text, env, parts) in rows {
        let error = load(text, env).expect_err(text).to_string();
        for part in parts {
            assert!(error.contains(part), "{text} {env:?}: '{part}' is not in: {error}");
        }
    }
}

#[test]
fn a_password_is_never_shown() {
    let password = "correct-horse";
    let settings = load("", &[("ATTUNE_ADMIN_PASSWORD", password)]).expect("loads");
    assert!(!format!("{settings:?}").contains(password));
    assert!(!serde_json::to_string(&settings).expect("serializes").contains(password));
    let broken = [
        format!("[auth]\nadmin_password = \"{password}"),
        format!("[auth]\nadmin_password = [\"{password}\"]"),
        format!("[auth]\nadmin_password = {password}"),
        format!("[auth]\nadmin_password = \"{password}\" \"{password}\""),
    ];
    for text in broken {
        let error = load(&text, &[]).expect_err(&text);
        assert!(!format!("{error} {error:?}").contains(password), "{text}: {error:?}");
    }
}

#[test]
fn settings_that_mean_something_else_resolve() {
    let mut settings = Settings::default();
    assert!(settings.runner.processes() >= 2, "0 means twice the processors");
    settings.runner.max_processes = 7;
    assert_eq!(settings.runner.processes(), 7);
    assert_eq!(settings.packs_dir(), Path::new("./attune-data/packs"));
    settings.packs.packs_dir = PathBuf::from("/srv/packs");
    assert_eq!(settings.packs_dir(), Path::new("/srv/packs"));
}

/// The names of all settings, as the structs serialize them and with the one they hide.
fn serialized() -> BTreeSet<String> {
    let settings = serde_json::to_value(Settings::default()).expect("serializes");
    let mut names = BTreeSet::from(["auth.admin_password".to_owned()]);
    for (section, content) in settings.as_object().expect("sections") {
        let keys = content.as_object().expect("settings").keys();
        names.extend(keys.map(|key| format!("{section}.{key}")));
    }
    names
}

#[test]
fn the_schema_lists_exactly_the_settings() {
    let listed: BTreeSet<String> =
        schema::SETTINGS.iter().map(|(name, _)| name.to_string()).collect();
    assert_eq!(listed, serialized());
}

#[test]
fn the_sample_file_holds_every_setting_with_its_default_and_a_reason() {
    assert_eq!(load(SAMPLE, &[]).expect("loads"), Settings::default());
    let mut section = "";
    let mut explained = false;
    let mut written = BTreeSet::new();
    for line in SAMPLE.lines() {
        // What has no default stands there as a comment.
        let comment = ["admin_password", "public_url"]
            .into_iter()
            .find(|name| line.starts_with(&format!("# {name} = ")));
        let setting = comment.or(line.split_once(" = ").map(|(name, _)| name));
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']');
        } else if let Some(setting) = setting.filter(|name| !name.contains(' '))
            && !section.is_empty()
            && !section.starts_with("default")
        {
            assert!(explained, "{section}.{setting} has no comment above it");
            assert!(written.insert(format!("{section}.{setting}")), "{setting} stands twice");
        }
        explained = line.starts_with("# ") && comment.is_none();
    }
    assert_eq!(written, serialized());
}

#[test]
fn the_sample_file_serves_sam_too() {
    let sample: toml::Table = toml::from_str(SAMPLE).expect("parses");
    assert_eq!(sample["version"].as_float(), Some(0.1));
    let deploy = &sample["default"]["deploy"]["parameters"];
    for key in ["stack_name", "region", "capabilities", "parameter_overrides"] {
        assert!(deploy.get(key).is_some_and(toml::Value::is_str), "{key}");
    }
}
