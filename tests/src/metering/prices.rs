//! List prices of us-east-1 in dollars, as of November 2026, on-demand and without the free tier.

/// Where prices stand, for the report.
pub const REGION: &str = "us-east-1";

/// A million write request units of DynamoDB: 1 KB each, twice as many in a transaction.
pub const DYNAMODB_WRITES: f64 = 0.625;
/// A million read request units of DynamoDB: 4 KB each, consistently.
pub const DYNAMODB_READS: f64 = 0.125;
/// A million requests to a standard queue.
pub const SQS_STANDARD: f64 = 0.40;
/// A million requests to a FIFO queue.
pub const SQS_FIFO: f64 = 0.50;
/// A million invocations of functions.
pub const LAMBDA_INVOCATIONS: f64 = 0.20;
/// A million seconds of a function with 1 GB of memory, on arm64.
pub const LAMBDA_GB_SECONDS: f64 = 13.3334;
/// A million objects put into S3.
pub const S3_WRITES: f64 = 5.0;
/// A million objects read from S3.
pub const S3_READS: f64 = 0.40;
/// A million invocations by EventBridge Scheduler.
pub const SCHEDULER: f64 = 1.0;
/// A million requests to an HTTP API.
pub const HTTP_API: f64 = 1.0;
/// A million state transitions of a standard workflow of Step Functions.
pub const STATE_TRANSITIONS: f64 = 25.0;
