//! What every handler can reach.

use crate::auth::approval::Approvals;
use crate::auth::token::Signer;
use crate::routes::executions::pages::Pages;
use crate::{ApiConfig, App};
use attune_ports::{Feed, Ports, Unavailable};
use std::ops::Deref;
use std::sync::Arc;
use std::time::SystemTime;
use tokio::sync::OnceCell;

/// The state of the router: shared by all requests, cheap to clone.
#[derive(Clone)]
pub struct Context(Arc<Shared>);

/// What a [`Context`] shares.
pub struct Shared {
    /// The journey's needs.
    pub ports: Ports,
    /// What changed.
    pub feed: Arc<dyn Feed>,
    /// Settings.
    pub config: ApiConfig,
    /// Pages of executions that were rendered already.
    pub(crate) pages: Pages,
    signer: OnceCell<Signer>,
    approvals: OnceCell<Approvals>,
}

impl Context {
    pub(crate) fn new(app: App) -> Self {
        let App { ports, feed, config } = app;
        Self(Arc::new(Shared {
            ports,
            feed,
            config,
            pages: Pages::default(),
            signer: OnceCell::new(),
            approvals: OnceCell::new(),
        }))
    }

    /// Signs and verifies tokens; the vault is asked for the key once.
    ///
    /// # Errors
    /// [`Unavailable`] where the vault does not answer.
    pub async fn signer(&self) -> Result<&Signer, Unavailable> {
        self.signer
            .get_or_try_init(|| async { Ok(Signer::new(&self.ports.vault.token_key().await?)) })
            .await
    }

    /// Signs and verifies approval links; the vault is asked for the key once.
    ///
    /// # Errors
    /// [`Unavailable`] where the vault does not answer.
    pub async fn approvals(&self) -> Result<&Approvals, Unavailable> {
        self.approvals
            .get_or_try_init(|| async {
                let approvals = Approvals::new(&self.ports.vault.token_key().await?);
                approvals.ok_or_else(|| Unavailable::new("vault", "its token key is none"))
            })
            .await
    }
}

impl Deref for Context {
    type Target = Shared;
    fn deref(&self) -> &Shared {
        &self.0
    }
}

/// An extension of requests: when streams that answer them have to be over. Who serves for a limited time puts it
/// there; without it a stream lasts as long as its client stays.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(pub SystemTime);
