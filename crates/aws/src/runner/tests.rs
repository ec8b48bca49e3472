use super::*;
use crate::Clients;
use attune_domain::reference::ComponentRef;
use attune_domain::status::ExecutionStatus;
use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig};
use aws_sdk_s3::config::{Credentials, SharedCredentialsProvider};
use serde_json::{Map, Value};

/// Prints what it was told to, and nothing else.
struct Printer {
    logs_dir: PathBuf,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

#[async_trait]
impl Runner for Printer {
    async fn run(&self, invocation: Invocation, _: Cancelled) -> Outcome {
        let streams = [(LogStream::Stdout, &self.stdout), (LogStream::Stderr, &self.stderr)];
        for (stream, bytes) in streams.into_iter().filter(|(_, bytes)| !bytes.is_empty()) {
            let path = attune_runner::log_path(&self.logs_dir, invocation.execution, stream);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
        Outcome::new(ExecutionStatus::Completed, Value::Null)
    }

    fn is_pure(&self, _: Runtime, _: &str) -> bool {
        true
    }
}

/// A bucket that nobody can reach.
fn nowhere() -> S3Logs {
    let credentials = Credentials::new("test", "test", None, None, "a test");
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("eu-west-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .endpoint_url("http://127.0.0.1:1")
        .retry_config(RetryConfig::disabled())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build();
    S3Logs::new(Arc::new(Clients::of(config)), "none")
}

fn invocation() -> Invocation {
    Invocation {
        execution: ExecutionId::new(7),
        attempt: 1,
        action_ref: ComponentRef::parse("mine.action").unwrap(),
        runtime: Runtime::Shell,
        entrypoint: String::new(),
        pack_dir: None,
        parameters: Map::new(),
        parameter_delivery: Default::default(),
        parameter_format: Default::default(),
        output_format: Default::default(),
        timeout: Duration::from_secs(1),
        rule_ref: None,
        trigger_ref: None,
        secrets: vec![],
        api_token: None,
    }
}

#[tokio::test]
async fn little_is_kept_with_the_execution() {
    let full = vec![b'x'; LITTLE as usize];
    let rows: [(&str, &[u8], &[u8], bool); 6] = [
        ("nothing", b"", b"", false),
        ("one stream", b"hello\n", b"", true),
        ("both", b"hello\n", "wörld\n".as_bytes(), true),
        ("as much as may be", &full, b"", true),
        // For these the bucket is asked, which nobody can reach.
        ("more", &full, b"!", false),
        ("no text", &[0xff, 0xfe], b"", false),
    ];
    for (case, stdout, stderr, inline) in rows {
        let home = tempfile::tempdir().unwrap();
        let logs_dir = home.path().to_owned();
        let printer =
            Printer { logs_dir: logs_dir.clone(), stdout: stdout.into(), stderr: stderr.into() };
        let runner = CloudRunner::new(Arc::new(printer), logs_dir.clone(), nowhere());
        let outcome = runner.run(invocation(), Box::pin(std::future::pending())).await;
        assert_eq!(outcome.status, ExecutionStatus::Completed, "{case}");
        let expected = inline.then(|| Printed {
            stdout: String::from_utf8(stdout.into()).unwrap(),
            stderr: String::from_utf8(stderr.into()).unwrap(),
        });
        assert_eq!(outcome.printed, expected, "{case}");
        for stream in [LogStream::Stdout, LogStream::Stderr] {
            let path = attune_runner::log_path(&logs_dir, ExecutionId::new(7), stream);
            assert!(!path.exists(), "{case}: nothing stays on the disk");
        }
    }
}
