//! What the numbers should be, on a machine with two cores and an ordinary disk. Rates without an aim
//! depend on the disk first of all and are to be compared with earlier runs on the same machine.

/// A bound that a number should keep.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Aim {
    /// The number should not be below this.
    AtLeast(f64),
    /// The number should not be above this.
    AtMost(f64),
}

impl Aim {
    /// Whether `value` keeps the bound.
    pub fn met(self, value: f64) -> bool {
        match self {
            Self::AtLeast(bound) => value >= bound,
            Self::AtMost(bound) => value <= bound,
        }
    }
}

/// The aim of a measurement, by its name.
pub fn of(name: &str) -> Option<Aim> {
    let aim = match name {
        "webhook_noop.completed" => Aim::AtLeast(2_500.0),
        "latency.p50" => Aim::AtMost(8.0),
        "rules_1000.matched" => Aim::AtLeast(5_000.0),
        "memory.idle" => Aim::AtMost(40.0),
        "memory.worked" => Aim::AtMost(150.0),
        "shell.completed" => Aim::AtLeast(400.0),
        "list_executions.requests" => Aim::AtLeast(5_000.0),
        // Costs that must not grow. What is counted must not grow at all; the slack of what is timed is for
        // noise.
        "inside.crowded_ratio" => Aim::AtMost(1.0),
        "items.ratio" => Aim::AtMost(1.2),
        "queue_depth.ratio" => Aim::AtMost(1.5),
        "micro.condition_index_1000" => Aim::AtMost(100.0),
        _ => return None,
    };
    Some(aim)
}
