//! Starts the function.

use std::process::ExitCode;

fn main() -> ExitCode {
    attune_function::serve(|environment| {
        let ports = attune_function::ports(environment)?.ports;
        Ok(async move |request, _| Ok(poll_sensor::handle(&ports, request).await?))
    })
}
