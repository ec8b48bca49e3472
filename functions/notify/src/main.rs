//! Starts the function.

use attune_aws::tally;
use std::process::ExitCode;

fn main() -> ExitCode {
    attune_function::serve(|environment| {
        let table = environment.stack()?.table;
        let clients = attune_aws::Clients::default();
        Ok(async move |event, _| {
            let book =
                async |changes: &[tally::Change]| tally::book(&clients, &table, changes).await;
            Ok(notify::handle(event, book).await)
        })
    })
}
