//! The place of polled sensors in the cloud. This deployment cannot poll yet: asked to, it says so, and the
//! template does not deploy it.

use attune_catalogue::read;
use attune_domain::catalogue::Sensor;
use attune_ports::Ports;
use serde::Deserialize;

/// Which sensor to poll.
#[derive(Clone, Debug, Deserialize)]
pub struct Request {
    /// Its ref.
    pub sensor: String,
}

/// Why a sensor was not polled.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such sensor, or it cannot be read.
    #[error(transparent)]
    Catalogue(#[from] attune_catalogue::Error),
    /// It is disabled.
    #[error("the sensor '{0}' is disabled")]
    Disabled(String),
    /// It would have to be run.
    #[error("the sensor '{0}' cannot be polled: this deployment runs no sensors yet")]
    NotYet(String),
}

/// Reads the sensor and says why it is not polled.
///
/// # Errors
/// Always; see [`Error`].
pub async fn handle(ports: &Ports, request: Request) -> Result<(), Error> {
    let sensor: Sensor = read::require(ports, &request.sensor).await?;
    if !sensor.enabled {
        return Err(Error::Disabled(request.sensor));
    }
    Err(Error::NotYet(request.sensor))
}
