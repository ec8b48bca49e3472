//! Opens everything that the server works on.

use anyhow::Context;
use attune_api::auth::ExecutionTokens;
use attune_api::{ApiConfig, App, CreatedAdmin};
use attune_catalogue::Origin;
use attune_journey::workflow::Limits;
use attune_journey::{run, sweep, workers};
use attune_local::Local;
use attune_ports::Ports;
use attune_runner::{Interpreters, Runner};
use attune_settings::{ListEnvelope, Settings};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// The demo that the core pack brings.
const DEMO: &str = "core.timer_10s_echo";

/// Everything that the server works on, recovered from its last life and ready to go.
pub struct Platform {
    /// Ports, feed and ticker over the data folder.
    pub local: Local,
    /// The REST API.
    pub api: axum::Router,
    /// How many of what at once.
    pub workers: workers::Config,
    /// The admin, if this start made it.
    pub created_admin: Option<CreatedAdmin>,
}

impl Platform {
    /// Opens the data folder, ends and repairs what an earlier life left, installs the packs. `url` is where
    /// the API will answer.
    pub async fn open(settings: &Settings, url: &str) -> anyhow::Result<Self> {
        let data = std::path::absolute(&settings.storage.data_dir)?;
        fs::create_dir_all(&data).with_context(|| format!("cannot make {}", data.display()))?;
        let instance = instance(&data)?;
        let runner_config = runner_config(settings, &data, &instance, url);
        let work_dir = runner_config.work_dir.clone();
        let runner = Arc::new(Runner::new(runner_config));
        let mut local = attune_local::open(&data, &local_config(settings, &data), runner)?;
        local.ports.tokens = Some(Arc::new(ExecutionTokens::new(
            local.ports.vault.clone(),
            local.ports.clock.clone(),
        )));
        let ports = &local.ports;

        // Before any slot is freed or anything runs again: what the last life started must be over.
        let killed = tokio::task::spawn_blocking(move || attune_runner::reap(&work_dir, &instance))
            .await?
            .context("processes of the last life cannot be ended")?;
        let created_admin = admin(ports, settings).await?;
        install_packs(ports, settings, &data).await?;
        let swept = sweep::recover(ports).await?;
        attune_catalogue::links::reconcile(ports).await?;
        let timers = attune_catalogue::timers::reconcile(ports).await?;
        attune_catalogue::cloud_events::reconcile(ports).await?;
        tracing::info!(?swept, killed, timers, "recovered from the last life");

        let api = attune_api::router(App {
            ports: ports.clone(),
            feed: local.feed.clone(),
            config: api_config(settings),
        });
        let workers = workers::Config {
            processes: settings.runner.processes(),
            natives: settings.runner.native_concurrency,
            terms: run::Terms {
                timeout: settings.runner.default_timeout,
                grace: settings.runner.term_grace + Duration::from_secs(30),
                inquiry: settings.inquiries.default_timeout,
                ..run::Terms::default()
            },
            limits: Limits { steps: settings.workflows.step_limit, ..Limits::default() },
        };
        Ok(Self { local, api, workers, created_admin })
    }
}

/// A name that this data folder's processes carry, made at its first start.
fn instance(data: &Path) -> anyhow::Result<String> {
    let file = data.join("instance");
    if let Ok(name) = fs::read_to_string(&file)
        && !name.trim().is_empty()
    {
        return Ok(name.trim().to_owned());
    }
    let name = uuid::Uuid::new_v4().to_string();
    fs::write(&file, &name).with_context(|| format!("cannot write {}", file.display()))?;
    Ok(name)
}

fn local_config(settings: &Settings, data: &Path) -> attune_local::Config {
    attune_local::Config {
        linger: settings.storage.group_commit_linger,
        cache_bytes: u64::from(settings.storage.cache_mib) << 20,
        max_receives: settings.queues.max_receives,
        visibility: settings.queues.visibility,
        catch_up: settings.timers.catch_up,
        packs_dir: Some(data.join(&settings.packs.packs_dir)),
    }
}

fn runner_config(
    settings: &Settings,
    data: &Path,
    instance: &str,
    url: &str,
) -> attune_runner::Config {
    let runner = &settings.runner;
    attune_runner::Config {
        max_output_bytes: usize::try_from(runner.max_output_bytes).unwrap_or(usize::MAX),
        term_grace: runner.term_grace,
        interpreters: Interpreters {
            shell: PathBuf::from(&runner.shell),
            python: PathBuf::from(&runner.python),
            node: PathBuf::from(&runner.node),
        },
        ..attune_runner::Config::new(data, instance, url)
    }
}

fn api_config(settings: &Settings) -> ApiConfig {
    ApiConfig {
        list_envelope: match settings.api.list_envelope {
            ListEnvelope::Data => attune_api::ListEnvelope::Data,
            ListEnvelope::Items => attune_api::ListEnvelope::Items,
        },
        max_body_bytes: usize::try_from(settings.server.max_body_bytes).unwrap_or(usize::MAX),
        upload_max_bytes: usize::try_from(settings.server.upload_max_bytes).unwrap_or(usize::MAX),
        allow_self_registration: settings.auth.allow_self_registration,
        access_token_seconds: settings.auth.access_token.as_secs(),
        refresh_token_seconds: settings.auth.refresh_token.as_secs(),
        cors_origins: settings.server.cors_origins.clone(),
        inquiry_patience: settings.inquiries.default_timeout,
        public_url: settings.server.public_url.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ..ApiConfig::default()
    }
}

async fn admin(ports: &Ports, settings: &Settings) -> anyhow::Result<Option<CreatedAdmin>> {
    let password = settings.auth.admin_password.as_ref().map(|secret| secret.expose().to_owned());
    Ok(attune_api::ensure_admin(ports, &settings.auth.admin_login, password).await?)
}

/// Installs the core pack from the binary, then what lies in the pack folders.
async fn install_packs(ports: &Ports, settings: &Settings, data: &Path) -> anyhow::Result<()> {
    let core = data.join("builtin").join("core");
    attune_packs::builtin::write_to(&core).context("cannot write the core pack")?;
    install(ports, settings, &core).await?;

    let installed = data.join(&settings.packs.packs_dir);
    if installed.is_dir() {
        attune_packs::place::recover(&installed).context("cannot repair the packs folder")?;
    }
    for dir in settings.packs.dirs.iter().chain([&installed]) {
        let Ok(entries) = fs::read_dir(dir) else { continue };
        let mut roots: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        roots.sort();
        for root in roots.iter().filter(|root| root.join("pack.yaml").is_file()) {
            // The binary's own core pack is the one that fits it.
            if root.file_name().is_some_and(|name| name != "core") {
                install(ports, settings, root).await?;
            }
        }
    }
    Ok(())
}

/// Installs one pack; a broken one is told and left out, so that the others work.
async fn install(ports: &Ports, settings: &Settings, root: &Path) -> anyhow::Result<()> {
    let mut pack = match attune_packs::load(root) {
        Ok(pack) => pack,
        Err(errors) => {
            tracing::error!("a pack is left out:\n{errors}");
            return Ok(());
        }
    };
    if !settings.packs.load_demo {
        pack.rules.retain(|rule| rule.reference.as_str() != DEMO);
    }
    for warning in &pack.warnings {
        tracing::warn!(pack = %pack.manifest.reference, "{warning}");
    }
    let path = std::path::absolute(root)?;
    let path = path.to_str().context("a pack's path must be UTF-8")?;
    let installed = attune_catalogue::install(ports, &pack, Some(path), Origin::Startup)
        .await
        .with_context(|| format!("cannot install the pack at {path}"))?;
    for warning in installed.warnings {
        tracing::warn!(pack = %installed.pack.reference, "{warning}");
    }
    // What fails is only told, so nothing waits for it.
    tokio::task::spawn_blocking(move || rehearse(&pack));
    Ok(())
}

/// Runs the rehearsals of a pack's workflows; tells of those that do not go as they say.
fn rehearse(pack: &attune_packs::Pack) {
    for verdict in attune_packs::rehearsal::rehearse_pack(pack) {
        if !verdict.passed() {
            let (file, why) = (verdict.file.display(), verdict.differences.join("; "));
            tracing::warn!(pack = %pack.manifest.reference, "the test {file} failed: {why}");
        }
    }
}
