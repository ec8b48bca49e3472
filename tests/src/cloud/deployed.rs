//! The whole stack as `infra/template.yaml` describes it, with its real functions, on an emulator of its own.

use super::emulator::{ACCOUNT, Emulator};
use super::{functions, machine, search, stack};
use crate::contract::Idle;
use crate::harness::leftovers;
use crate::metering::proxy::Proxy;
use crate::server::{Client, until_within};
use attune_aws::{Clients, Config};
use attune_ports::Ports;
use reqwest::RequestBuilder;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

/// Its name.
const NAME: &str = "attune";
/// Where the archives of functions lie.
const BUCKET: &str = "programs";
/// How long a deployment may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long messages are hidden, in seconds: what a function that was killed had in hand comes back after that,
/// and the template is more patient than a test.
const VISIBILITY: u32 = 30;

/// After how many seconds a thread of a workflow asks again what to do: the emulator does not notice that the
/// function was killed that it had asked.
const PATIENCE_OF_THREADS: u32 = 30;

/// A stack that answers.
pub struct Deployed {
    emulator: Emulator,
    clients: Clients,
    http: reqwest::Client,
    url: String,
    stream_url: String,
    login: String,
    password: String,
    folder: TempDir,
    table: String,
    bucket: String,
    queues: String,
    /// For looking past the API.
    ports: Ports,
}

impl Deployed {
    /// Starts an emulator, deploys the stack and makes it ready.
    ///
    /// # Panics
    /// Where that fails.
    pub async fn start() -> Self {
        Self::on(tokio::task::spawn_blocking(|| Emulator::start(None)).await.expect("it starts"))
            .await
    }

    /// The same, with a proxy between the functions and AWS.
    ///
    /// # Panics
    /// Where that fails.
    pub async fn behind(proxy: &Proxy) -> Self {
        let endpoint = proxy.endpoint().to_owned();
        let emulator = tokio::task::spawn_blocking(move || Emulator::start(Some(&endpoint)));
        let emulator = emulator.await.expect("it starts");
        proxy.pass_on_to(emulator.endpoint());
        Self::on(emulator).await
    }

    async fn on(emulator: Emulator) -> Self {
        let clients = stack::clients(&emulator);
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().build().expect("this machine can do HTTP");
        create(&emulator, &clients, &http).await;
        let outputs = until_within(PATIENCE, "the stack is there", async || {
            let described = query(&emulator, &http, "DescribeStacks", &[]).await;
            let status = within(&described, "StackStatus").unwrap_or_default().to_owned();
            if status.ends_with("_IN_PROGRESS") {
                return None;
            }
            if status != "CREATE_COMPLETE" {
                let events = query(&emulator, &http, "DescribeStackEvents", &[]).await;
                panic!("the stack is {status}: {events}");
            }
            Some(described)
        })
        .await;
        let output = |name: &str| -> String {
            let (_, after) = outputs
                .split_once(&format!("<OutputKey>{name}</OutputKey>"))
                .unwrap_or_else(|| panic!("no output {name}: {outputs}"));
            within(after, "OutputValue").expect("an output has a value").to_owned()
        };
        let secret = clients.secrets().await.get_secret_value().secret_id(output("AdminSecret"));
        let password = secret.send().await.expect("the password can be read").secret_string;
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let key = output("RootKeySecret");
        let config = Config {
            table: output("TableName"),
            bucket: output("BucketName"),
            queues: format!("{}/{ACCOUNT}/{NAME}-", emulator.endpoint()),
            root_key_secret: key.clone(),
            // Nobody looks at tokens.
            token_key_secret: key,
            referable: format!("{NAME}/actions/"),
            state_machine: Some(machine::arn(&format!("{NAME}-workflow"))),
            timers: None,
            scratch: folder.path().join("scratch"),
        };
        let shared = Arc::new(stack::clients(&emulator));
        let deployed = Self {
            table: config.table.clone(),
            bucket: config.bucket.clone(),
            queues: config.queues.clone(),
            ports: attune_aws::open_with(shared, config, Arc::new(Idle), "the test").ports,
            url: output("ApiUrl"),
            stream_url: output("StreamUrl"),
            login: output("AdminLogin"),
            password: password.expect("a password is text"),
            folder,
            emulator,
            clients,
            http,
        };
        deployed.sweep().await;
        deployed
    }

    /// Where the API answers.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where streams come from.
    #[must_use]
    pub fn stream_url(&self) -> &str {
        &self.stream_url
    }

    /// A folder for files of the test, which actions reach, too.
    #[must_use]
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// A client that is logged in as the administrator.
    pub async fn client(&self) -> Client {
        Client::stranger(&self.url).login(&self.login, &self.password).await
    }

    /// The stack's ports, past its functions: for looking.
    #[must_use]
    pub fn ports(&self) -> &Ports {
        &self.ports
    }

    /// Clients of the services around the stack.
    #[must_use]
    pub fn clients(&self) -> &Clients {
        &self.clients
    }

    /// ARN of the state machine of workflows.
    #[must_use]
    pub fn state_machine(&self) -> String {
        machine::arn(&format!("{NAME}-workflow"))
    }

    /// What the URLs of its queues begin with.
    #[must_use]
    pub fn queues(&self) -> &str {
        &self.queues
    }

    /// The key that it signs tokens with.
    ///
    /// # Panics
    /// Where it cannot be found.
    pub async fn token_key(&self) -> Vec<u8> {
        let secrets = self.clients.secrets().await;
        let listed = secrets.list_secrets().send().await.expect("secrets can be listed");
        let signs = |text: Option<&str>| text.is_some_and(|text| text.contains("signs tokens"));
        let key = listed.secret_list().iter().find(|secret| signs(secret.description()));
        let name = key.and_then(|key| key.arn()).expect("the stack has a key of tokens");
        let read = secrets.get_secret_value().secret_id(name).send().await;
        let key = read.expect("the test may read secrets").secret_string;
        key.expect("a key is text").into_bytes()
    }

    /// The places where this text stands: items of the table, objects of the bucket, logs of the functions.
    ///
    /// # Panics
    /// Where one of them cannot be read, or nothing is logged at all.
    pub async fn places_of(&self, text: &str) -> Vec<String> {
        let mut found = search::table(&self.clients, &self.table, text).await;
        found.extend(search::bucket(&self.clients, &self.bucket, text).await);
        found.extend(search::logs(&self.http, self.emulator.endpoint(), text).await);
        found
    }

    /// Sweeps, as the stack does every minute.
    ///
    /// # Panics
    /// Where the function fails.
    pub async fn sweep(&self) {
        let path = format!("/2015-03-31/functions/{NAME}-sweep/invocations");
        let request = self.http.post(format!("{}{path}", self.emulator.endpoint())).body("{}");
        let answer = request.send().await.expect("the emulator answers");
        let failed = answer.headers().contains_key("x-amz-function-error");
        let (status, said) = (answer.status(), answer.text().await.unwrap_or_default());
        assert!(status.is_success() && !failed, "the sweep failed: {status}: {said}");
    }

    /// Everything that is not over, in words.
    pub async fn left(&self) -> Vec<String> {
        leftovers::find(&self.ports).await
    }

    /// Ends the processes of a function (`match-rules`) in the middle of whatever they do; answers how many
    /// there were.
    #[must_use]
    pub fn kill(&self, function: &str) -> usize {
        functions::kill(self.emulator.root(), function)
    }
}

async fn create(emulator: &Emulator, clients: &Clients, http: &reqwest::Client) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../infra/template.yaml");
    let template = std::fs::read_to_string(path).expect("the template can be read");
    let s3 = clients.s3().await;
    stack::make_bucket(clients, BUCKET).await;
    let put = async |name: &str, bytes: Vec<u8>| {
        let put = s3.put_object().bucket(BUCKET).key(name).body(bytes.into()).send().await;
        put.expect("an object can be stored");
    };
    for name in functions::named_in(&template) {
        put(&name, functions::archive(&functions::program(&name))).await;
    }
    put(machine::FILE, machine::impatient(PATIENCE_OF_THREADS).into_bytes()).await;
    let template = machine::from_bucket(&functions::from_bucket(&template, BUCKET), BUCKET);
    let template = brisk(&template);
    put("template.yaml", template.into_bytes()).await;
    let url = format!("{}/{BUCKET}/template.yaml", emulator.endpoint());
    let mut parameters = vec![
        ("TemplateURL".to_owned(), url),
        ("Capabilities.member.1".to_owned(), "CAPABILITY_IAM".to_owned()),
        ("Capabilities.member.2".to_owned(), "CAPABILITY_NAMED_IAM".to_owned()),
        ("Capabilities.member.3".to_owned(), "CAPABILITY_AUTO_EXPAND".to_owned()),
    ];
    let choices = [
        ("Architecture", "x86_64"),
        ("ActionRuntimes", "host"),
        ("LocalEndpoint", emulator.endpoint()),
        ("StreamSeconds", "15"),
        // What a killed function had in hand would otherwise be given up after a quarter of an hour.
        ("ActionSeconds", "25"),
    ];
    for (n, (name, value)) in (1..).zip(choices) {
        let place = format!("Parameters.member.{n}");
        parameters.push((format!("{place}.ParameterKey"), name.to_owned()));
        parameters.push((format!("{place}.ParameterValue"), value.to_owned()));
    }
    query(emulator, http, "CreateStack", &parameters).await;
}

/// The template with queues that do not hide messages for long.
fn brisk(template: &str) -> String {
    const PROPERTY: &str = "VisibilityTimeout: ";
    let brisk = |line: &str| match line.split_once(PROPERTY) {
        Some((before, _)) => format!("{before}{PROPERTY}{VISIBILITY}"),
        None => line.to_owned(),
    };
    assert!(template.contains(PROPERTY), "queues hide messages");
    template.lines().map(brisk).collect::<Vec<_>>().join("\n")
}

/// Asks CloudFormation, for which an own SDK would be much to compile.
async fn query(
    emulator: &Emulator,
    http: &reqwest::Client,
    action: &str,
    parameters: &[(String, String)],
) -> String {
    let fixed = [("Action", action), ("Version", "2010-05-15"), ("StackName", NAME)];
    let mut form = fixed.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    form.extend_from_slice(parameters);
    let request: RequestBuilder = http.post(emulator.endpoint()).form(&form);
    let answer = request.send().await.expect("the emulator answers");
    let (status, said) = (answer.status(), answer.text().await.expect("an answer is text"));
    assert!(status.is_success(), "{action}: {status}: {said}");
    said
}

/// The text of the first element of this name.
fn within<'a>(xml: &'a str, element: &str) -> Option<&'a str> {
    let (_, after) = xml.split_once(&format!("<{element}>"))?;
    Some(after.split_once("</")?.0)
}
