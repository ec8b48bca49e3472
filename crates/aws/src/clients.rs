//! Clients of the services, each made when it is first needed.
//!
//! Making one costs a cold start dear, and most functions need two or three of them.

use aws_config::{AppName, BehaviorVersion, SdkConfig};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use tokio::sync::OnceCell;

/// Clients of the services of one account and region, as the environment says.
#[derive(Default)]
pub struct Clients {
    config: OnceCell<SdkConfig>,
    dynamodb: OnceCell<aws_sdk_dynamodb::Client>,
    streams: OnceCell<aws_sdk_dynamodbstreams::Client>,
    sqs: OnceCell<aws_sdk_sqs::Client>,
    s3: OnceCell<aws_sdk_s3::Client>,
    scheduler: OnceCell<aws_sdk_scheduler::Client>,
    eventbridge: OnceCell<aws_sdk_eventbridge::Client>,
    secrets: OnceCell<aws_sdk_secretsmanager::Client>,
}

impl Clients {
    /// Clients that do as `config` says, and not the environment.
    #[must_use]
    pub fn of(config: SdkConfig) -> Self {
        Self { config: OnceCell::new_with(Some(config)), ..Self::default() }
    }

    /// Region, credentials and endpoint; from the environment, unless they were given.
    pub async fn config(&self) -> &SdkConfig {
        self.config
            .get_or_init(|| async {
                let http = aws_smithy_http_client::Builder::new()
                    .tls_provider(Provider::Rustls(CryptoMode::Ring))
                    .build_https();
                let mut config = aws_config::defaults(BehaviorVersion::latest()).http_client(http);
                // So that AWS's own logs, and whoever counts requests, see which function asked.
                let function = std::env::var("AWS_LAMBDA_FUNCTION_NAME").ok();
                if let Some(Ok(name)) = function.map(AppName::new) {
                    config = config.app_name(name);
                }
                config.load().await
            })
            .await
    }

    /// DynamoDB.
    pub async fn dynamodb(&self) -> &aws_sdk_dynamodb::Client {
        self.dynamodb
            .get_or_init(|| async { aws_sdk_dynamodb::Client::new(self.config().await) })
            .await
    }

    /// DynamoDB Streams.
    pub async fn streams(&self) -> &aws_sdk_dynamodbstreams::Client {
        self.streams
            .get_or_init(|| async { aws_sdk_dynamodbstreams::Client::new(self.config().await) })
            .await
    }

    /// SQS.
    pub async fn sqs(&self) -> &aws_sdk_sqs::Client {
        self.sqs.get_or_init(|| async { aws_sdk_sqs::Client::new(self.config().await) }).await
    }

    /// S3; with path-style addresses where the endpoint is not AWS's own.
    pub async fn s3(&self) -> &aws_sdk_s3::Client {
        self.s3
            .get_or_init(|| async {
                let config = self.config().await;
                let own = config.endpoint_url().is_some();
                let config = aws_sdk_s3::config::Builder::from(config).force_path_style(own);
                aws_sdk_s3::Client::from_conf(config.build())
            })
            .await
    }

    /// EventBridge Scheduler.
    pub async fn scheduler(&self) -> &aws_sdk_scheduler::Client {
        self.scheduler
            .get_or_init(|| async { aws_sdk_scheduler::Client::new(self.config().await) })
            .await
    }

    /// EventBridge.
    pub async fn eventbridge(&self) -> &aws_sdk_eventbridge::Client {
        self.eventbridge
            .get_or_init(|| async { aws_sdk_eventbridge::Client::new(self.config().await) })
            .await
    }

    /// Secrets Manager.
    pub async fn secrets(&self) -> &aws_sdk_secretsmanager::Client {
        self.secrets
            .get_or_init(|| async { aws_sdk_secretsmanager::Client::new(self.config().await) })
            .await
    }
}
