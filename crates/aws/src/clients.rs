//! Clients of the services, each made when it is first needed.
//!
//! Making one costs a cold start dear, and most functions need two or three of them.

use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::retry::RetryConfig;
use aws_config::{AppName, BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::SharedCredentialsProvider;
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
    sfn: OnceCell<aws_sdk_sfn::Client>,
}

impl Clients {
    /// Clients that do as `config` says, and not the environment.
    #[must_use]
    pub fn of(config: SdkConfig) -> Self {
        Self { config: OnceCell::new_with(Some(config)), ..Self::default() }
    }

    /// Region, credentials and endpoint; from the environment, unless they were given.
    ///
    /// From the variables that Lambda sets, and nothing else: no profiles, no role to assume, no metadata of a
    /// machine. What else there is would be a third of a small function's program.
    pub async fn config(&self) -> &SdkConfig {
        self.config
            .get_or_init(|| async {
                let http = aws_smithy_http_client::Builder::new()
                    .tls_provider(Provider::Rustls(CryptoMode::Ring))
                    .build_https();
                let variable =
                    |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
                let credentials = EnvironmentVariableCredentialsProvider::new();
                let mut config = SdkConfig::builder()
                    .behavior_version(BehaviorVersion::latest())
                    .credentials_provider(SharedCredentialsProvider::new(credentials))
                    .retry_config(RetryConfig::standard())
                    .http_client(http);
                config.set_region(variable("AWS_REGION").map(Region::new));
                config.set_endpoint_url(variable("AWS_ENDPOINT_URL"));
                // So that AWS's own logs, and whoever counts requests, see which function asked.
                let function = variable("AWS_LAMBDA_FUNCTION_NAME").map(AppName::new);
                config.set_app_name(function.and_then(Result::ok));
                config.build()
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

    /// Step Functions.
    pub async fn sfn(&self) -> &aws_sdk_sfn::Client {
        self.sfn.get_or_init(|| async { aws_sdk_sfn::Client::new(self.config().await) }).await
    }
}
