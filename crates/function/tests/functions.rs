//! The handlers of all functions over the embedded ports: one program, since each would link the same.

mod embedded;

#[path = "../../../functions/admit-execution/tests/handle.rs"]
mod admit_execution_function;
#[path = "../../../functions/advance-workflow/tests/handle.rs"]
mod advance_workflow_function;
#[path = "../../../functions/api/tests/handle.rs"]
mod api_function;
#[path = "../../../functions/complete-execution/tests/handle.rs"]
mod complete_execution_function;
#[path = "../../../functions/ingest-event/tests/handle.rs"]
mod ingest_event_function;
#[path = "../../../functions/match-rules/tests/handle.rs"]
mod match_rules_function;
#[path = "../../../functions/notify/tests/handle.rs"]
mod notify_function;
#[path = "../../../functions/poll-sensor/tests/handle.rs"]
mod poll_sensor_function;
#[path = "../../../functions/run-action/tests/handle.rs"]
mod run_action_function;
#[path = "../../../functions/sweep/tests/handle.rs"]
mod sweep_function;
#[path = "../../../functions/wake-lane/tests/handle.rs"]
mod wake_lane_function;
