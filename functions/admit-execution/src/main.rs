//! Starts the function.

use std::process::ExitCode;

fn main() -> ExitCode {
    attune_function::serve(|environment| {
        let ports = attune_function::step_ports(environment)?;
        Ok(async move |event, _| Ok(admit_execution::handle(&ports, event).await))
    })
}
