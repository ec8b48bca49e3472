//! Starts the function.
//!
//! | variable | what |
//! |---|---|
//! | `ATTUNE_WORKFLOW_STEP_LIMIT` | tasks that a run may enter whose definition says nothing; 10000 |

use std::process::ExitCode;

fn main() -> ExitCode {
    attune_function::serve(|environment| {
        let ports = attune_function::step_ports(environment)?;
        let limits = advance_workflow::limits(environment)?;
        Ok(async move |task, invocation| {
            Ok(advance_workflow::handle(&ports, limits, &invocation, task).await?)
        })
    })
}
