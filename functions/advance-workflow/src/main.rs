//! Starts the function.

use attune_journey::workflow::Limits;
use std::process::ExitCode;

fn main() -> ExitCode {
    attune_function::serve(|environment| {
        let ports = attune_function::step_ports(environment)?;
        let limits = Limits::default();
        Ok(async move |task, invocation| {
            Ok(advance_workflow::handle(&ports, limits, &invocation, task).await?)
        })
    })
}
