//! Retention and placement, which actions and sensors share.

use crate::fields::Fields;
use attune_domain::catalogue::Placement;

const RETENTION: [(&str, &str); 4] =
    [("versions", "versions"), ("days", "days"), ("hours", "hours"), ("minutes", "minutes")];

pub(crate) fn read(fields: &Fields<'_>) -> Placement {
    let policy = |name| fields.word(name, &RETENTION).map(str::to_owned);
    Placement {
        log_retention_policy: policy("log_retention_policy"),
        log_retention_limit: fields.integer("log_retention_limit", 1),
        artifact_retention_policy: policy("artifact_retention_policy"),
        artifact_retention_limit: fields.integer("artifact_retention_limit", 1),
        worker_selector: fields.value("worker_selector"),
        worker_tolerations: fields.value("worker_tolerations"),
        worker_affinity: fields.value("worker_affinity"),
        required_worker_runtimes: fields.mapping("required_worker_runtimes"),
    }
}
