//! Starts the function.

use std::process::ExitCode;

fn main() -> ExitCode {
    attune_function::serve(|environment| {
        let ports = attune_function::ports(environment)?.ports;
        Ok(async move |event, _| Ok(admit_execution::handle(&ports, event).await))
    })
}
