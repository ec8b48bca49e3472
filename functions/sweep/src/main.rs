//! Starts the function.

use attune_aws::Clients;
use attune_ports::Unavailable;
use std::process::ExitCode;
use std::sync::Arc;
use sweep::{Password, Settings};

fn main() -> ExitCode {
    attune_function::serve(|environment| {
        let settings = Settings::read(environment)?;
        let secret = environment.required("ATTUNE_ADMIN_SECRET")?;
        let aws = attune_function::ports(environment)?;
        let password = Secret { clients: aws.clients, name: secret };
        Ok(async move |event: serde_json::Value, _| {
            Ok(sweep::handle(&aws.ports, &settings, &password, &event).await?)
        })
    })
}

/// The password in Secrets Manager.
struct Secret {
    clients: Arc<Clients>,
    name: String,
}

#[async_trait::async_trait]
impl Password for Secret {
    async fn read(&self) -> Result<String, Unavailable> {
        let unavailable = |why: String| Unavailable::new("the admin's password", why);
        let secrets = self.clients.secrets().await;
        let answer = secrets.get_secret_value().secret_id(&self.name).send().await;
        let answer = answer.map_err(|error| unavailable(error.into_service_error().to_string()))?;
        answer
            .secret_string
            .filter(|password| !password.is_empty())
            .ok_or_else(|| unavailable("the secret holds no text".to_owned()))
    }
}
