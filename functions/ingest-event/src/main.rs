//! Starts the function.

use std::process::ExitCode;

fn main() -> ExitCode {
    attune_function::serve(|environment| {
        let aws = attune_function::ports(environment)?;
        Ok(async move |payload, _| {
            ingest_event::handle(&aws.ports, &aws.schedules, payload)
                .await
                .map_err(attune_function::Error::from)
        })
    })
}
